"""Reads a booster, completes its description, proves it, and gives what a bundle is made of."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import xgboost

from model.booster import read_booster
from model.description.errors import BundleError
from model.description.schema import Schema
from model.importing.booster_file import read_model_file
from model.importing.features import define_features
from model.importing.older_versions import Use
from model.importing.options import ImportOptions
from model.importing.probes import probe_rows
from model.importing.proof import NOT_PROVED, Proof, prove_by_scores, prove_by_target
from model.importing.reading import Reading
from model.importing.sample import Sample, read_sample
from model.importing.sample_checks import find_sparse_training
from model.importing.scores import ScoresOption, read_scores
from model.importing.source import ModelSource
from model.objective import Objective, read_objective
from model.tables.table import Table
from model.training.trained import TrainedModel


@dataclass(frozen=True)
class ImportedModel:
    """What `publish` takes, and what the importer should know: one line each."""

    trained: TrainedModel
    notes: list[str]


def import_model(source: ModelSource, options: ImportOptions, sample: Table | None = None) -> ImportedModel:
    """Read a booster and complete its description; raises BundleError, SchemaError or InvalidRows.

    The source's own example rows become golden rows where there is no sample. The message of an error tells
    which option must supply what the booster does not know, and what explains scores that differ from those
    of its author.
    """
    file, example = source.file, source.example
    options = replace(options, features=options.features or source.features)
    booster, saved_by = read_model_file(file, Use(options.trees, source.all_trees, options.base_margin))
    objective = read_objective(json.loads(booster.save_config()), file.name, saved_by)
    _check_options(file.name, booster, objective, options)
    others = _other_columns(options, sample)
    features = define_features(booster, saved_by, options, _feature_columns(sample, others))
    if options.by_position:
        booster.feature_names = [each["name"] for each in features if not each.get("base_margin")]
    trees, note = _choose_trees(file.name, booster, options.trees, source.all_trees)
    proof, schema = NOT_PROVED, Schema.from_list(features, sample.missing_texts if sample else ())
    if sample:
        read = read_sample(schema, sample)
        served = read_booster(bytes(booster.save_raw("ubj")), file.name)
        reading = Reading(booster, served, objective, schema, read.matrix, trees, options.missing_value)
        proof = _prove(file.name, reading, read, options, others)
        features, golden = read.observed(features, options.missing_value), read.golden_rows(schema)
    else:
        _check_sparse_training(file.name, booster, schema, options)
        rows = example and example.table(schema.names)
        golden = read_sample(schema, rows).golden_rows(schema) if rows else probe_rows(booster, schema)
    training = {
        "imported": source.origin,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "rounds": booster.num_boosted_rounds(),
        **({"sample": sample.file, "sample_sha256": sample.sha256} if sample else {}),
    }
    # Rows that nobody has sent must not be shown to callers.
    probes = {} if sample or example else {"golden": {"probes": True}}
    described = _describe(options, features, trees, proof, schema.missing_texts)
    description = {**described, **probes, "xgboost": saved_by, "training": training}
    return ImportedModel(TrainedModel(booster, description, golden), [*note, proof.said])


def _other_columns(options: ImportOptions, sample: Table | None) -> tuple[str, ...]:
    """Return the columns of the sample that are no features: target, base margin and scores."""
    if not options.scores:
        return options.target, *options.targets, options.base_margin
    if sample is None:
        raise BundleError("--scores needs the rows that they belong to: --sample FILE")
    columns = ScoresOption.parse(options.scores).columns_of(sample.columns.column_names)
    return options.target, *options.targets, options.base_margin, *columns


def _feature_columns(sample: Table | None, others: Sequence[str]) -> list[str]:
    return [name for name in sample.columns.column_names if name not in others] if sample else []


def _choose_trees(
    file: str, booster: xgboost.Booster, wanted: int | None, all_trees: bool
) -> tuple[int, list[str]]:
    """Return how many rounds to use, and a note if these are not all."""
    rounds, best = booster.num_boosted_rounds(), _best_rounds(booster)
    trees = wanted or (None if all_trees else best) or rounds
    if trees > rounds:
        said = f"--trees {wanted}" if wanted else f"its best round is {best}"
        raise BundleError(f"{file}: {said}, but the model has {rounds} rounds of trees")
    if best is None or best == rounds:
        return trees, []
    if trees == rounds:
        return trees, [
            f"all {rounds} rounds of trees are used; training stopped early, with its best at {best}"
        ]
    return trees, [
        f"{trees} of {rounds} rounds of trees are used: training stopped early, and scikit-learn's interface "
        f"predicts with the rounds up to the best one; Booster.predict uses all: --trees {rounds}"
    ]


def _check_sparse_training(
    file: str, booster: xgboost.Booster, schema: Schema, options: ImportOptions
) -> None:
    fault = "" if options.unproved else find_sparse_training(booster, schema)
    if fault:
        raise BundleError(f"{file}: {fault}; --unproved imports it all the same")


def _prove(
    file: str, reading: Reading, sample: Sample, options: ImportOptions, others: Sequence[str]
) -> Proof:
    if not options.scores:
        return prove_by_target(file, reading, sample, options, others)
    expected = read_scores(ScoresOption.parse(options.scores), sample.table)
    return prove_by_scores(file, reading, sample, expected, options, others)


def _describe(
    options: ImportOptions,
    features: list[dict[str, Any]],
    trees: int,
    proof: Proof,
    missing_texts: Sequence[str],
) -> dict[str, Any]:
    transform = {"transform": options.transform, "transform_type": proof.transform_type}
    return {
        "name": options.name,
        "target": options.target,
        "unit": options.unit,
        "features": features,
        **({"classes": list(options.classes)} if options.classes else {}),
        **({"targets": list(options.targets)} if options.targets else {}),
        **(transform if options.transform else {}),
        **({} if options.missing_value is None else {"missing": options.missing_value}),
        **({"missing_texts": list(missing_texts)} if missing_texts else {}),
        "trees": trees,
        "metrics": {},
        "proof": proof.record,
    }


def _check_options(file: str, booster: xgboost.Booster, objective: Objective, options: ImportOptions) -> None:
    """Raise BundleError if the booster was not trained, or does not have these classes and targets."""
    if not booster.num_boosted_rounds():
        raise BundleError(f"{file}: the model has no trees; train it first")
    if options.classes:
        _check_classes(options.classes, objective.classes, file)
    _check_targets(options.targets, objective.targets, file)


def _check_targets(names: Sequence[str], count: int, file: str) -> None:
    if count == 1 and names:
        raise BundleError(f"{file}: the model predicts a single target; give its name: --target NAME")
    if count > 1 and len(names) != count:
        raise BundleError(
            f"{file}: the model predicts {count} targets, and --targets names {len(names)}; "
            "name them in the order of its scores: --targets A,B"
        )
    if len(set(names)) < len(names):
        raise BundleError(f"{file}: --targets names a target twice")


def _check_classes(names: Sequence[str], count: int, file: str) -> None:
    if len(names) != count:
        raise BundleError(f"{file}: the model has {count} classes, but --classes names {len(names)}")
    if len(set(names)) < count:
        raise BundleError(f"{file}: --classes names a class twice")


def _best_rounds(booster: xgboost.Booster) -> int | None:
    """Return the rounds up to the best iteration, which scikit-learn's interface uses."""
    best = booster.attr("best_iteration")
    return None if best is None else int(best) + 1
