"""Events: messages that become batches, and those that tell how jobs ended."""
