"""Reads models that MLflow has saved, from a folder or from a tracking server, without MLflow."""
