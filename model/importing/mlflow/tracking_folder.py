"""MLflow's tracking store as files: the folder `mlruns`."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from model.description.errors import BundleError
from model.importing.mlflow.description import DESCRIPTION_LIMIT, read_yaml, text_of
from model.importing.mlflow.folder import LocalFolder, ModelFolder


class TrackingFolder:
    """Finds the folders of models below `root`, as `TrackingServer` does over HTTP."""

    def __init__(self, root: Path) -> None:
        self.address = str(root)
        self._root = root
        self._files = LocalFolder(root)

    def version(self, name: str, version: str) -> str:
        """Return where the files of a version of a registered model are."""
        found = self._meta(f"models/{_part(name)}/version-{_part(version)}")
        source = text_of(found, "storage_location") or text_of(found, "source")
        logged = source.removeprefix("models:/")
        return self.logged_model(logged) if logged != source else source

    def version_of_alias(self, name: str, alias: str) -> str:
        """Return the number of the version that an alias names."""
        file = self._files.file(f"models/{_part(name)}/aliases/{_part(alias)}", DESCRIPTION_LIMIT)
        return file.read_text(encoding="utf-8", errors="replace").strip()

    def latest_version(self, name: str) -> str:
        """Return the number of the newest version."""
        folders = [
            path.name.removeprefix("version-") for path in self._root.glob(f"models/{_part(name)}/version-*")
        ]
        numbers = [int(number) for number in folders if number.isdigit()]
        if not numbers:
            raise BundleError(f"{self.address}: the model {name} has no version")
        return str(max(numbers))

    def logged_model(self, model_id: str) -> str:
        """Return where the files of a model of MLflow 3 are."""
        for folder in self._root.glob(f"*/models/{_part(model_id)}"):
            return str(folder / "artifacts")
        raise BundleError(f"{self.address}: has no model {model_id}")

    def run(self, run_id: str, path: str) -> str:
        """Return where the files of a run's model are: MLflow 3 keeps them beside the run, and not in it."""
        for run in self._root.glob(f"*/{_part(run_id)}"):
            for output in run.glob("outputs/*"):
                model = run.parent / "models" / output.name
                if model.is_dir() and self._meta(str(model.relative_to(self._root))).get("name") == path:
                    return str(model / "artifacts")
            return str(run / "artifacts" / path)
        raise BundleError(f"{self.address}: has no run {run_id}")

    def folder(self, artifacts: str, origin: str, _cache: Path) -> ModelFolder:
        """Return the folder at an address of artifacts; raises BundleError if it is not on this machine."""
        parsed = urlparse(artifacts)
        if parsed.scheme not in ("", "file"):
            raise BundleError(
                f"{origin}: its files are in {parsed.scheme}://, which this command does not read"
            )
        return LocalFolder(Path(unquote(parsed.path)), origin)

    def _meta(self, folder: str) -> dict[str, Any]:
        return read_yaml(
            self._files.file(f"{folder}/meta.yaml", DESCRIPTION_LIMIT), f"{self.address}/{folder}"
        )


def _part(name: str) -> str:
    """Return a name that is one part of a path, and no pattern; raises BundleError."""
    if not name or name.startswith(".") or any(character in name for character in "/\\*?[]\0"):
        raise BundleError(f"{name!r} is not the name of a model, a version, an alias or a run")
    return name
