"""HTTP: what is sent, what an answer means, when a request is repeated, and how it is carried."""
