"""The shortest script that scores a file: read all of it, predict once, write.

`python -m benchmarks.rivals.script ceiling|pandas|pipeline FILE MODEL OUT`: the ceiling reads with the
library that Paygrade reads with, and calls inplace_predict on all cores; the others are pandas and a DMatrix,
and pandas and a pickled pipeline of scikit-learn.
"""

import sys
from pathlib import Path

import numpy as np
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
    {"ceiling": ceiling, "pandas": pandas, "pipeline": pipeline}[rival](*arguments)
