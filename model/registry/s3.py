"""Published bundles in an S3 bucket."""

import os
import tempfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from model.description.errors import BundleError
from model.description.files import DESCRIPTION_FILE, LARGEST_REPORT, MODEL_FILE, REPORT_FILE
from model.description.lifecycle import LIFECYCLE_FILE, Lifecycle
from model.description.manifest import Manifest
from model.registry.interface import (
    BundleRef,
    ChangeLifecycle,
    Contents,
    RegistryUnavailable,
    VersionExists,
    require_matching_path,
)

CLIENT_CONFIG = Config(
    connect_timeout=3, read_timeout=20, retries={"max_attempts": 2, "mode": "standard"}
)  # seconds
CHANGED_MEANWHILE = ("PreconditionFailed", "ConditionalRequestConflict")
MAX_TRIES = 10
"""How often a change of a lifecycle is tried again that others were faster with."""


def open_s3_registry(path: str, cache: Path | None) -> "S3Registry":
    """Open `bucket/prefix` with the credentials and the region of the environment.

    Raises RegistryUnavailable.
    """
    bucket, _, prefix = path.partition("/")
    if not bucket:
        raise RegistryUnavailable(f"s3://{path}: names no bucket; use s3://BUCKET or s3://BUCKET/PREFIX")
    try:
        # boto3 reads only AWS_DEFAULT_REGION, and ECS sets AWS_REGION.
        client = boto3.client("s3", region_name=os.environ.get("AWS_REGION"), config=CLIENT_CONFIG)
    except (BotoCoreError, ValueError) as error:
        raise RegistryUnavailable(f"s3://{path}: {error}") from None
    return S3Registry(client, bucket, prefix, cache or Path(tempfile.mkdtemp(prefix="paygrade-bundles-")))


class S3Registry:
    """Bundles under a prefix of a bucket; fetched files are stored in `<cache>/<sha256>/`."""

    def __init__(self, client: Any, bucket: str, prefix: str, cache: Path) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._cache = cache

    def contents(self) -> Contents:
        bundles, lifecycles, reported = [], {}, set()
        try:
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for entry in page.get("Contents", ()):
                    name, _, rest = entry["Key"].removeprefix(self._prefix).partition("/")
                    version, _, file = rest.partition("/")
                    if file == DESCRIPTION_FILE:  # written last, so the model exists too
                        bundles.append(BundleRef(name, version, entry["ETag"]))
                    elif file == REPORT_FILE and entry["Size"] <= LARGEST_REPORT:
                        reported.add(f"{name}/{version}")
                    elif rest == LIFECYCLE_FILE:
                        lifecycles[name] = entry["ETag"]
        except (ClientError, BotoCoreError) as error:
            raise RegistryUnavailable(f"{self._url('')}: cannot be listed: {_reason(error)}") from None
        return Contents([ref._replace(reported=ref.path in reported) for ref in bundles], lifecycles)

    def read(self, ref: BundleRef) -> Manifest:
        key = f"{ref.path}/{DESCRIPTION_FILE}"
        try:
            text = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise BundleError(f"{self._url(key)}: cannot be read: {_reason(error)}") from None
        manifest = Manifest.parse(text, self._cache, self._url(ref.path))
        require_matching_path(manifest, ref, self._url(ref.path))
        return manifest

    def fetch(self, manifest: Manifest) -> Manifest:
        directory = self._cache / manifest.sha256
        if not directory.is_dir():
            self._download(manifest, directory)
        fetched = Manifest.read(directory)
        if fetched.sha256 != manifest.sha256:
            raise BundleError(
                f"{manifest.ref}: was replaced after it was published; publish a new version instead"
            )
        return fetched

    def _download(self, manifest: Manifest, directory: Path) -> None:
        path = f"{manifest.name}/{manifest.version}"
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".", dir=self._cache))
            for file in (MODEL_FILE, DESCRIPTION_FILE):
                self._client.download_file(self._bucket, f"{self._prefix}{path}/{file}", str(draft / file))
            if not directory.exists():  # another process may have been faster
                draft.rename(directory)
        except (ClientError, BotoCoreError) as error:
            raise BundleError(f"{self._url(path)}: cannot be fetched: {_reason(error)}") from None
        except OSError as error:
            raise BundleError(f"{directory}: cannot be written: {error.strerror}") from None

    def put(self, draft: Path, name: str, version: int) -> None:
        """Write the model first, and then the description, which makes the version visible."""
        model, description = (f"{name}/{version}/{file}" for file in (MODEL_FILE, DESCRIPTION_FILE))
        is_new = self._put_model(model, draft / MODEL_FILE)
        try:
            self._put_new(description, draft / DESCRIPTION_FILE)
        except RegistryUnavailable:
            if is_new:
                self._client.delete_object(Bucket=self._bucket, Key=self._prefix + model)
            raise

    def put_report(self, name: str, version: int, report: bytes) -> None:
        self._put(f"{name}/{version}/{REPORT_FILE}", report, ContentType="text/html; charset=utf-8")

    def read_report(self, name: str, version: int) -> bytes:
        return self._get(f"{name}/{version}/{REPORT_FILE}")

    def remove(self, name: str, version: int) -> None:
        try:
            for file in (
                DESCRIPTION_FILE,
                REPORT_FILE,
                MODEL_FILE,
            ):  # without its description it is not listed
                self._client.delete_object(Bucket=self._bucket, Key=f"{self._prefix}{name}/{version}/{file}")
        except (ClientError, BotoCoreError) as error:
            url = self._url(f"{name}/{version}")
            raise RegistryUnavailable(f"{url}: cannot be removed: {_reason(error)}") from None

    def read_lifecycle(self, name: str) -> Lifecycle:
        return self._read_lifecycle(name)[0]

    def change_lifecycle(self, name: str, change: ChangeLifecycle) -> Lifecycle:
        """Write it only if it is still what was read; else read and change it again."""
        key = f"{name}/{LIFECYCLE_FILE}"
        for _ in range(MAX_TRIES):
            lifecycle, condition = self._read_lifecycle(name)
            changed = change(lifecycle)
            try:
                self._put(key, changed.to_json(), **condition)
            except VersionExists:
                continue
            return changed
        raise RegistryUnavailable(f"{self._url(key)}: others change it all the time; try again")

    def _read_lifecycle(self, name: str) -> tuple[Lifecycle, dict[str, str]]:
        """Return the lifecycle, and the condition under which it has not changed since."""
        key = f"{name}/{LIFECYCLE_FILE}"
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            text = found["Body"].read()
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey":
                return Lifecycle(), {"IfNoneMatch": "*"}
            raise RegistryUnavailable(f"{self._url(key)}: cannot be read: {_reason(error)}") from None
        return Lifecycle.parse(text, self._url(key)), {"IfMatch": found["ETag"]}

    def _put_model(self, key: str, file: Path) -> bool:
        """Return whether it was not there yet: another try may have written this model and broken off."""
        try:
            self._put_new(key, file)
        except VersionExists:
            if self._get(key) == file.read_bytes():
                return False
            raise
        return True

    def _put_new(self, key: str, file: Path) -> None:
        self._put(key, file.read_bytes(), IfNoneMatch="*")

    def _put(self, key: str, content: bytes, **condition: str) -> None:
        """Raises VersionExists if the condition does not hold, and RegistryUnavailable."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=content, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in CHANGED_MEANWHILE:
                raise VersionExists(f"{self._url(key)}: is already published") from None
            raise RegistryUnavailable(f"{self._url(key)}: cannot be written: {_reason(error)}") from None
        except BotoCoreError as error:
            raise RegistryUnavailable(f"{self._url(key)}: cannot be written: {_reason(error)}") from None

    def _get(self, key: str) -> bytes:
        try:
            content = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise RegistryUnavailable(f"{self._url(key)}: cannot be read: {_reason(error)}") from None
        return bytes(content)

    def _url(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}"


def _reason(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        details = error.response["Error"]
        return f"{details.get('Code')}: {details.get('Message', '')}".strip(": ")
    return str(error).partition("\n")[0]
