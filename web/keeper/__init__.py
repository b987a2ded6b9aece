"""The keeper of workers: starts them when work comes, and lets them sleep when none has come for long."""
