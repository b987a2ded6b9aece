"""A model as XGBoost stores it: read and checked without XGBoost, which trusts whatever a file says."""
