"""What evaluates trees: a protocol, and XGBoost's own library, which is the reference."""
