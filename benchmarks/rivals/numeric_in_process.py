"""Rival (b) for a model of numbers, tuned like the other; BENCHMARK_MODEL is the file of its booster."""

import os
from typing import Any

import numpy as np
import xgboost
from fastapi import FastAPI
from pydantic import BaseModel, create_model

app = FastAPI()
model = xgboost.Booster(model_file=os.environ["BENCHMARK_MODEL"])
model.set_param({"nthread": 1})
fields: dict[str, Any] = dict.fromkeys(model.feature_names or [], (float, ...))
Inputs = create_model("Inputs", **fields)


class RowRequest(BaseModel):
    model: str
    inputs: Inputs  # type: ignore[valid-type]


class Score(BaseModel):
    prediction: float


@app.post("/row")
async def score_row(body: RowRequest) -> Score:
    """The score of one row."""
    row = np.array([[*vars(body.inputs).values()]], dtype=np.float32)
    return Score(prediction=float(model.inplace_predict(row)[0]))
