"""/v2, the Open Inference Protocol over REST: other people's clients, served through the queue.

KServe's, MLServer's and Triton's clients speak it; Triton's binary tensors are understood as well.
"""
