"""What a client can do. Each operation is a function of a Caller, and a method of both clients."""
