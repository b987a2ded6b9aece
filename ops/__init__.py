"""The commands of operators: the jobs of all owners, the capacity and the state of a service, from Redis."""
