"""Opens what is to be imported: a file of a booster, a folder of MLflow, or a model in its registry."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from model.description.errors import BundleError
from model.description.files import DESCRIPTION_FILE
from model.importing.mlflow.description import read_mlflow_model
from model.importing.mlflow.folder import LocalFolder
from model.importing.mlflow.locate import ADDRESSES, locate
from model.importing.source import ModelSource


@contextmanager
def open_source(named: str, environment: Mapping[str, str]) -> Iterator[ModelSource]:
    """Find the model that `named` names; its file is there until the block ends. Raises BundleError."""
    if named.startswith(ADDRESSES):
        with tempfile.TemporaryDirectory(prefix="paygrade-") as cache:
            yield read_mlflow_model(locate(named, environment, Path(cache)), named)
    elif (path := Path(named)).is_dir():
        if (path / DESCRIPTION_FILE).is_file():
            raise BundleError(
                f"{named}: is a bundle already; publish it: python -m model publish {named} --to …"
            )
        yield read_mlflow_model(LocalFolder(path), path.resolve().name)
    else:
        yield ModelSource(path, path.name)
