"""Finds the folder of a model by the address that MLflow gives it: `models:/NAME@alias`, `runs:/…`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlparse

from model.description.errors import BundleError
from model.importing.mlflow.file_store import FileStore
from model.importing.mlflow.folder import ModelFolder
from model.importing.mlflow.server import TrackingServer, authorization

ADDRESSES = ("models:/", "runs:/")
MODEL = re.compile(r"models:/+([^/@]+)(?:@([^/@]+)|/([^/@]+))?")
RUN = re.compile(r"runs:/+([^/]+)/(.+?)/?")
TRACKING = "MLFLOW_TRACKING_URI"


class TrackingStore(Protocol):
    """Says where the files of a model are, and opens their folder."""

    def version(self, name: str, version: str) -> str: ...
    def version_of_alias(self, name: str, alias: str) -> str: ...
    def latest_version(self, name: str) -> str: ...
    def logged_model(self, model_id: str) -> str: ...
    def run(self, run_id: str, path: str) -> str: ...
    def folder(self, artifacts: str, origin: str, cache: Path) -> ModelFolder: ...


def locate(address: str, environment: Mapping[str, str], cache: Path) -> ModelFolder:
    """Open the folder of a model; files that are elsewhere come into `cache`. Raises BundleError."""
    store = open_store(environment.get(TRACKING, ""), environment)
    return store.folder(_artifacts(store, address), address, cache)


def open_store(tracking: str, environment: Mapping[str, str]) -> TrackingStore:
    """Open what MLFLOW_TRACKING_URI names; raises BundleError if it is not read here."""
    scheme = urlparse(tracking).scheme
    if scheme in ("http", "https"):
        return TrackingServer(tracking, authorization(environment))
    if scheme not in ("", "file"):
        raise BundleError(
            f"{TRACKING}: a store of the kind {scheme} is not read; start its server, and give its address: "
            f"mlflow server --backend-store-uri …"
        )
    folder = Path(unquote(urlparse(tracking).path) if scheme else tracking or "mlruns")
    if not folder.is_dir():
        raise BundleError(
            f"there is no MLflow store at {folder}; set {TRACKING} to its address or its folder"
        )
    return FileStore(folder.absolute())


def _artifacts(store: TrackingStore, address: str) -> str:
    if found := RUN.fullmatch(address):
        return store.run(found[1], found[2])
    found = MODEL.fullmatch(address)
    if not found:
        raise BundleError(f"{address}: give models:/NAME@alias, models:/NAME/3 or runs:/RUN/path")
    name, alias, version = found.groups()
    if alias:
        return store.version(name, store.version_of_alias(name, alias))
    if version is None:
        return store.logged_model(name)
    if version.lower() == "latest":
        return store.version(name, store.latest_version(name))
    if not version.isdigit():
        raise BundleError(
            f"{address}: stages are no versions; give an alias (models:/{name}@{version.lower()})"
        )
    return store.version(name, version)
