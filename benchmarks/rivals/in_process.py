"""Rival (b): FastAPI on uvicorn, tuned: `inplace_predict` in an `async def`, one thread for each process."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import xgboost
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.bundle import MIDDLE, WAGES, describe, load_model

app = FastAPI()
model = load_model()
model.set_param({"nthread": 1})
wages_model = load_model(WAGES)
wages_model.set_param({"nthread": 1})
description = describe(WAGES)
features = [feature["name"] for feature in description["features"]]
regions = {name: code for code, name in enumerate(description["features"][5]["categories"])}
rounds = (0, description["trees"])


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


class ExplainedRequest(BaseModel):
    model: Literal["wages"] = "wages"
    explain: Literal[True]
    inputs: list[WagesRow]


class ExplainedWage(Wage):
    contributions: dict[str, float]
    base: float


class ExplainedWages(BaseModel):
    outputs: list[ExplainedWage]


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
    matrix = wages_matrix([body.inputs])
    low, middle, high = np.exp(wages_model.inplace_predict(matrix, iteration_range=rounds)[0])
    return Wage(prediction=float(middle), interval=(float(low), float(high)))


@app.post("/explained")
async def explain_wages(body: ExplainedRequest) -> ExplainedWages:
    """The same of a list of rows, and what each feature adds to the logarithm of the wage."""
    matrix = wages_matrix(body.inputs)
    wages = np.exp(wages_model.inplace_predict(matrix, iteration_range=rounds))
    rows = xgboost.DMatrix(matrix, nthread=1)
    values = wages_model.predict(rows, pred_contribs=True, iteration_range=rounds, validate_features=False)
    return ExplainedWages(
        outputs=[
            ExplainedWage(
                prediction=middle,
                interval=(low, high),
                contributions=dict(zip(features, contributions, strict=True)),
                base=base,
            )
            for (low, middle, high), (*contributions, base) in zip(
                wages.tolist(), values[:, MIDDLE].tolist(), strict=True
            )
        ]
    )


def wages_matrix(rows: list[WagesRow]) -> npt.NDArray[np.float32]:
    """As the booster reads them."""
    coded = [row.model_dump() | {"region": regions[row.region]} for row in rows]
    return np.array(
        [[np.nan if value is None else value for value in row.values()] for row in coded], dtype=np.float32
    )


@app.post("/list")
async def score_list(body: ListRequest) -> Scores:
    """The scores of a list of rows, in order, from one call of the model."""
    scores = model.inplace_predict(np.array([[row.years] for row in body.inputs]))
    return Scores(outputs=[Score(prediction=score) for score in scores.tolist()])
