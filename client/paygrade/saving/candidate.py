"""A model that has been read, and is proved before it is written."""

import math
import platform
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paygrade.saving.bundle_file import shortest
from paygrade.saving.errors import SaveRefused
from paygrade.saving.learner import (
    class_numbers,
    count_targets,
    read_learner,
    read_quantiles,
    require_served,
)
from paygrade.saving.models import Predictor, read_predictor
from paygrade.saving.names import column_names, read_classes, read_targets
from paygrade.saving.probes import probe_columns
from paygrade.saving.program import Program
from paygrade.saving.proof import Replay, Scores, author_scores, prove, prove_labels
from paygrade.saving.raw import RawColumn, read_columns
from paygrade.saving.readers import READERS
from paygrade.saving.reading import Traced
from paygrade.saving.written import Written, write_steps
from paygrade.steps import After, Steps, StepsError

GOLDEN_ROWS = 12


@dataclass(frozen=True)
class Candidate:
    """A fitted model beside what would be written of it: the steps, the booster, what is done to its scores.

    `expected` are the model's own scores of the sample. `mixed` says why the model cannot be explained.
    """

    author: Any
    sample: Any
    expected: Scores
    predictor: Predictor
    written: Written
    targets: list[str]
    classes: list[str]
    replay: Replay
    mixed: str

    @classmethod
    def read(cls, author: Any, sample: Any, target: Any, classes: Any) -> "Candidate":
        """Read a fitted model; raises SaveRefused."""
        expected = author_scores(author, sample)
        program = Program(read_columns(sample), READERS)
        traced = Traced(sample, list(range(len(sample.columns))))
        predictor = read_predictor(program, author, traced)
        learner = read_learner(predictor.booster)
        require_served(learner, predictor.classes)
        targets = read_targets(target, count_targets(learner))
        names = column_names(program, predictor)
        missing = None if math.isnan(predictor.missing) else predictor.missing
        written = write_steps(program, predictor.columns, names, missing)
        features = [column.to_feature(has_steps=True) for column in written.columns]
        try:
            steps = None if written.steps is None else Steps.from_dict(written.steps, features)
            after = After.from_list(predictor.after)
        except StepsError as error:
            raise SaveRefused(f"the fitted model cannot be written as data: {error}") from None
        replay = Replay(predictor.booster, predictor.trees, steps, predictor.missing, after)
        known = predictor.classes if classes is None else predictor.classes or class_numbers(learner)
        named = read_classes(classes, known)
        mixed = steps.mixed([column.name for column in written.columns]) if steps else ""
        mixed = "it predicts several targets" if len(targets) > 1 else mixed
        return cls(author, sample, expected, predictor, written, targets, named, replay, mixed)

    @property
    def model(self) -> bytes:
        """The booster in XGBoost's own format."""
        return bytes(self.predictor.booster.save_raw("ubj"))

    def prove(self) -> None:
        """Compare all scores of the sample; find what callers may leave open. Raises SaveRefused."""
        prove(self.expected, self._replayed(self.sample))
        if self.predictor.classes:
            prove_labels(self.author.predict(self.sample), self.expected, self.predictor.classes)
        probe_columns(
            self.written.columns,
            self.sample,
            lambda rows: author_scores(self.author, rows),
            self._replayed,
        )

    def describe(self) -> dict[str, Any]:
        """Return the fields of `bundle.json` that come from the model and its sample."""
        import xgboost

        steps, missing = self.written.steps, self.predictor.missing
        learner = read_learner(self.predictor.booster)
        quantiles = read_quantiles(learner)
        rows = np.unique(np.linspace(0, len(self.sample) - 1, GOLDEN_ROWS).astype(int)).tolist()
        golden = [{column.name: column.to_json(row) for column in self.written.columns} for row in rows]
        return {
            "target": ", ".join(self.targets),
            **({"targets": self.targets} if len(self.targets) > 1 else {}),
            "objective": learner["objective"]["name"],
            "features": [column.to_feature(steps is not None) for column in self.written.columns],
            **({"classes": self.classes} if self.classes else {}),
            **({"explained": False, "unexplained": self.mixed} if self.mixed else {}),
            **({"quantiles": quantiles} if quantiles else {}),
            "trees": self.predictor.trees,
            "training": {
                "saved_by": "paygrade.save",
                **({"scikit-learn": sys.modules["sklearn"].__version__} if "sklearn" in sys.modules else {}),
                "python": platform.python_version(),
            },
            "xgboost": xgboost.__version__,
            **({} if steps is None else {"steps": steps}),
            **({} if steps or math.isnan(missing) else {"missing": missing}),
            **({"after": self.predictor.after} if self.predictor.after else {}),
            "scores": str(self.expected.dtype),
            "proof": {"kind": "scores", "rows": len(self.sample)},
            "golden": {"rows": golden, "predictions": shortest(self.expected[rows])},
        }

    def _replayed(self, rows: Any) -> Scores:
        columns = [_raw_numbers(column, rows) for column in self.written.columns]
        try:
            return self.replay.score(np.column_stack(columns))
        except StepsError as error:
            raise SaveRefused(f"the sample has rows that the bundle could not score: {error}") from None


def _raw_numbers(column: RawColumn, rows: Any) -> NDArray[np.float64]:
    values = np.asarray(rows[column.name], dtype=None if column.type == "number" else object)
    return RawColumn(column.name, column.type, column.dtype, values, texts=column.texts).to_numbers()
