"""Rival (d): a service of BentoML for a model of numbers; BENCHMARK_MODEL is the file of its booster."""

import os

import bentoml
import numpy as np
import numpy.typing as npt
import xgboost


@bentoml.service(workers=2, http={"host": "127.0.0.1"}, metrics={"enabled": False})  # type: ignore[untyped-decorator, unused-ignore]
class Scorer:
    """One of two processes."""

    def __init__(self) -> None:
        self.model = xgboost.Booster(model_file=os.environ["BENCHMARK_MODEL"])
        self.model.set_param({"nthread": 1})

    @bentoml.api  # type: ignore[untyped-decorator, unused-ignore]
    async def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The scores of some rows."""
        scores: npt.NDArray[np.float32] = self.model.inplace_predict(rows)
        return scores
