"""What AWS charges in us-east-1, in USD, as of November 2026: estimates, to be looked up before use."""

S3_GB_MONTH = 0.023
