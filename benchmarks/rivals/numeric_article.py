"""Rival (a) for a model of numbers, as a tutorial writes it; BENCHMARK_MODEL is the file of its booster."""

import os

import numpy as np
import xgboost
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
model = xgboost.Booster(model_file=os.environ["BENCHMARK_MODEL"])
names = model.feature_names or []


@app.post("/predict")
def predict() -> Response:
    """The score of one row."""
    row = request.get_json()
    matrix = xgboost.DMatrix(np.array([[row[name] for name in names]]), feature_names=names)
    return jsonify(prediction=float(model.predict(matrix)[0]))
