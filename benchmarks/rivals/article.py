"""Rival (a): Flask on gunicorn, as a tutorial writes it: the model is a global, the route predicts."""

import numpy as np
import xgboost
from flask import Flask, Response, jsonify, request

from benchmarks.bundle import load_model

app = Flask(__name__)
model = load_model()


@app.post("/recms")
def recms() -> Response:
    """The salary for some years of experience, as text."""
    years = float(request.get_json()["years"])
    row = xgboost.DMatrix(np.array([[years]]), feature_names=model.feature_names)
    return jsonify(salary=str(model.predict(row)[0]))
