"""Published bundles in an S3 bucket."""

import os
import tempfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from model.description.errors import BundleError
from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest
from model.registry.interface import BundleRef, RegistryUnavailable, VersionExists, require_matching_path

CLIENT_CONFIG = Config(
    connect_timeout=3, read_timeout=20, retries={"max_attempts": 2, "mode": "standard"}
)  # seconds
KEY_EXISTS = ("PreconditionFailed", "ConditionalRequestConflict")


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

    def list_bundles(self) -> list[BundleRef]:
        bundles = []
        try:
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for entry in page.get("Contents", ()):
                    name, _, rest = entry["Key"].removeprefix(self._prefix).partition("/")
                    version, _, file = rest.partition("/")
                    if file == DESCRIPTION_FILE:  # written last, so the model exists too
                        bundles.append(BundleRef(name, version, entry["ETag"]))
        except (ClientError, BotoCoreError) as error:
            raise RegistryUnavailable(f"{self._url('')}: cannot be listed: {_reason(error)}") from None
        return bundles

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
        """Write the model first, which reserves the version; the description makes it visible."""
        model, description = (f"{name}/{version}/{file}" for file in (MODEL_FILE, DESCRIPTION_FILE))
        self._put_new(model, draft / MODEL_FILE)
        try:
            self._put_new(description, draft / DESCRIPTION_FILE)
        except (VersionExists, RegistryUnavailable):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + model)
            raise

    def _put_new(self, key: str, file: Path) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=file.read_bytes(), IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in KEY_EXISTS:
                raise VersionExists(f"{self._url(key)}: is already published") from None
            raise RegistryUnavailable(f"{self._url(key)}: cannot be written: {_reason(error)}") from None
        except BotoCoreError as error:
            raise RegistryUnavailable(f"{self._url(key)}: cannot be written: {_reason(error)}") from None

    def _url(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}"


def _reason(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        details = error.response["Error"]
        return f"{details.get('Code')}: {details.get('Message', '')}".strip(": ")
    return str(error).partition("\n")[0]
