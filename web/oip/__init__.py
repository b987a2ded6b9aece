"""/v2: the Open Inference Protocol over REST, so that its clients can use the queue.

The clients of KServe, MLServer and Triton speak it. Triton's binary tensors are supported.
"""
