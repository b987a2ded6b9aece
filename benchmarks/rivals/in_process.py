"""Rival (b): FastAPI on uvicorn, tuned: `inplace_predict` in an `async def`, one thread for each process."""

from typing import Literal

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.bundle import load_model

app = FastAPI()
model = load_model()
model.set_param({"nthread": 1})


class Row(BaseModel):
    years: float


class RowRequest(BaseModel):
    model: Literal["salary"] = "salary"
    inputs: Row


class ListRequest(BaseModel):
    model: Literal["salary"] = "salary"
    inputs: list[Row]


class Score(BaseModel):
    prediction: float


class Scores(BaseModel):
    outputs: list[Score]


@app.post("/row")
async def score_row(body: RowRequest) -> Score:
    """The score of one row."""
    scores = model.inplace_predict(np.array([[body.inputs.years]]))
    return Score(prediction=float(scores[0]))


@app.post("/list")
async def score_list(body: ListRequest) -> Scores:
    """The scores of a list of rows, in order, from one call of the model."""
    scores = model.inplace_predict(np.array([[row.years] for row in body.inputs]))
    return Scores(outputs=[Score(prediction=score) for score in scores.tolist()])
