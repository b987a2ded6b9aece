"""The API as OpenAPI 3.1 has it. A new route is added to operations.py, batches.py or oip.py."""
