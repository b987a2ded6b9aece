"""The command line of jobs: each verb is a module with its HELP, EXAMPLES, arguments and run."""
