"""Rival (b): FastAPI on uvicorn, tuned: `inplace_predict` in an `async def`, one thread for each process."""

import json
from typing import Literal

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.bundle import WAGES, load_model, model_file

app = FastAPI()
model = load_model()
model.set_param({"nthread": 1})
wages_model = load_model(WAGES)
wages_model.set_param({"nthread": 1})
description = json.loads(model_file(WAGES).with_name("bundle.json").read_text())
regions = {name: code for code, name in enumerate(description["features"][5]["categories"])}


class Row(BaseModel):
    years: float


class RowRequest(BaseModel):
    model: Literal["salary"] = "salary"
    inputs: Row


class WagesRow(BaseModel):
    education: int
    experience: float
    knowledge: int | None
    mothers_education: int | None
    fathers_education: int | None
    region: str
    city: bool
    student: bool
    library_card: bool | None


class WagesRequest(BaseModel):
    model: Literal["wages"] = "wages"
    inputs: WagesRow


class Wage(BaseModel):
    prediction: float
    interval: tuple[float, float]


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


@app.post("/wages")
async def score_wages(body: WagesRequest) -> Wage:
    """The wage of one row, and its interval."""
    row = body.inputs.model_dump() | {"region": regions[body.inputs.region]}
    matrix = np.array([[np.nan if value is None else value for value in row.values()]], dtype=np.float32)
    low, middle, high = np.exp(
        wages_model.inplace_predict(matrix, iteration_range=(0, description["trees"]))[0]
    )
    return Wage(prediction=float(middle), interval=(float(low), float(high)))


@app.post("/list")
async def score_list(body: ListRequest) -> Scores:
    """The scores of a list of rows, in order, from one call of the model."""
    scores = model.inplace_predict(np.array([[row.years] for row in body.inputs]))
    return Scores(outputs=[Score(prediction=score) for score in scores.tolist()])
