"""The shortest script that scores a file: read all of it, predict once, write.

`python -m benchmarks.rivals.script RIVAL FILE MODEL OUT`, where RIVAL is a function of this file. The ceiling
reads with the library that Paygrade reads with, and calls inplace_predict on all cores. The others use what
they are named after; pandas a DMatrix, and the pipeline pandas and a pickled pipeline of scikit-learn.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xgboost


def ceiling(file: str, model: str, out: str) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    csv = file.endswith("csv")
    table = pyarrow.csv.read_csv(file) if csv else pyarrow.parquet.read_table(file)
    rows = np.empty((table.num_rows, table.num_columns), np.float32)
    for index, column in enumerate(table.columns):
        rows[:, index] = column.to_numpy()
    scores = pa.table({"prediction": _load(model).inplace_predict(rows)})
    if csv:
        pyarrow.csv.write_csv(scores, out)
    else:
        pyarrow.parquet.write_table(scores, out)


def pandas(file: str, model: str, out: str) -> None:
    import pandas as pd

    csv = file.endswith("csv")
    table = pd.read_csv(file) if csv else pd.read_parquet(file)
    scores = pd.DataFrame({"prediction": _load(model).predict(xgboost.DMatrix(table))})
    if csv:
        scores.to_csv(out, index=False)
    else:
        scores.to_parquet(out)


def polars(file: str, model: str, out: str) -> None:
    import polars as pl

    csv = file.endswith("csv")
    table = pl.read_csv(file) if csv else pl.read_parquet(file)
    rows = table.cast(pl.Float32).to_numpy(order="c")
    scores = pl.DataFrame({"prediction": _load(model).inplace_predict(rows)})
    if csv:
        scores.write_csv(out)
    else:
        scores.write_parquet(out)


def duckdb(file: str, model: str, out: str) -> None:
    import duckdb
    import pyarrow as pa

    table = duckdb.read_csv(file) if file.endswith("csv") else duckdb.read_parquet(file)
    columns = table.fetchnumpy()
    rows = np.column_stack([column.astype(np.float32) for column in columns.values()])
    scores = duckdb.from_arrow(pa.table({"prediction": _load(model).inplace_predict(rows)}))
    if file.endswith("csv"):
        scores.write_csv(out)
    else:
        scores.write_parquet(out)


def ray(file: str, model: str, out: str) -> None:
    import ray.data

    class Scorer:
        def __init__(self) -> None:
            self.booster = _load(model)
            self.booster.set_param({"nthread": 1})

        def __call__(self, batch: dict[str, npt.NDArray[np.float64]]) -> dict[str, npt.NDArray[np.float32]]:
            rows = np.column_stack([column.astype(np.float32) for column in batch.values()])
            return {"prediction": self.booster.inplace_predict(rows)}

    ray.init(
        num_cpus=4, include_dashboard=False, log_to_driver=False
    )  # of two cores each: actors and readers beside them
    csv = file.endswith("csv")
    table = ray.data.read_csv(file) if csv else ray.data.read_parquet(file)
    scores = table.map_batches(Scorer, batch_size=65_536, compute=ray.data.ActorPoolStrategy(size=2))
    if csv:
        scores.write_csv(out)
    else:
        scores.write_parquet(out)


def pipeline(file: str, model: str, out: str) -> None:
    import pickle

    import pandas as pd

    csv = file.endswith("csv")
    table = pd.read_csv(file) if csv else pd.read_parquet(file)
    loaded = pickle.loads(Path(model).read_bytes())  # noqa: S301 - the benchmark wrote it a moment ago
    scores = pd.DataFrame({"prediction": loaded.predict(table)})
    if csv:
        scores.to_csv(out, index=False)
    else:
        scores.to_parquet(out)


def _load(model: str) -> xgboost.Booster:
    booster = xgboost.Booster()
    booster.load_model(Path(model))
    return booster


if __name__ == "__main__":
    _, rival, *arguments = sys.argv
    scripts = (ceiling, pandas, polars, duckdb, ray, pipeline)
    {script.__name__: script for script in scripts}[rival](*arguments)
