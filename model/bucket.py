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
from model.registry import S3, BundleRef, RegistryUnavailable, Taken, require_place

TIMES = Config(connect_timeout=3, read_timeout=20, retries={"max_attempts": 2, "mode": "standard"})
EXISTS = ("PreconditionFailed", "ConditionalRequestConflict")


def open_bucket(where: str, cache: Path | None) -> "BucketShelf":
    """`where` is s3://bucket/prefix; keys and region come from the environment, as AWS names them."""
    bucket, _, prefix = where.removeprefix(S3).partition("/")
    if not bucket:
        raise RegistryUnavailable(f"{where}: names no bucket; it must be s3://BUCKET or s3://BUCKET/PREFIX")
    try:
        # boto3 reads AWS_DEFAULT_REGION only, and ECS sets AWS_REGION.
        client = boto3.client("s3", region_name=os.environ.get("AWS_REGION"), config=TIMES)
    except (BotoCoreError, ValueError) as error:
        raise RegistryUnavailable(f"{where}: {error}") from None
    return BucketShelf(client, bucket, prefix, cache or Path(tempfile.mkdtemp(prefix="paygrade-bundles-")))


class BucketShelf:
    """The files that are fetched stand in `cache`, by sha256."""

    def __init__(self, client: Any, bucket: str, prefix: str, cache: Path) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._cache = cache

    def places(self) -> list[BundleRef]:
        places = []
        try:
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for found in page.get("Contents", ()):
                    name, _, rest = found["Key"].removeprefix(self._prefix).partition("/")
                    version, _, file = rest.partition("/")
                    if file == DESCRIPTION_FILE:  # put last, so that the model is there too
                        places.append(BundleRef(name, version, found["ETag"]))
        except (ClientError, BotoCoreError) as error:
            raise RegistryUnavailable(f"{self._at('')}: cannot be listed: {_reason(error)}") from None
        return places

    def read(self, place: BundleRef) -> Manifest:
        key = f"{place.path}/{DESCRIPTION_FILE}"
        try:
            text = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise BundleError(f"{self._at(key)}: cannot be read: {_reason(error)}") from None
        manifest = Manifest.parse(text, self._cache, self._at(place.path))
        require_place(manifest, place.name, place.version, self._at(place.path))
        return manifest

    def fetch(self, manifest: Manifest) -> Manifest:
        directory = self._cache / manifest.sha256
        if not directory.is_dir():
            self._download(manifest, directory)
        fetched = Manifest.read(directory)
        if fetched.sha256 != manifest.sha256:
            raise BundleError(f"{manifest.ref}: was replaced after it was published; publish a new version")
        return fetched

    def _download(self, manifest: Manifest, directory: Path) -> None:
        path = f"{manifest.name}/{manifest.version}"
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".", dir=self._cache))
            for file in (MODEL_FILE, DESCRIPTION_FILE):
                self._client.download_file(self._bucket, f"{self._prefix}{path}/{file}", str(draft / file))
            if not directory.exists():  # another child may have been first
                draft.rename(directory)
        except (ClientError, BotoCoreError) as error:
            raise BundleError(f"{self._at(path)}: cannot be fetched: {_reason(error)}") from None
        except OSError as error:
            raise BundleError(f"{directory}: cannot be written: {error.strerror}") from None

    def put(self, draft: Path, name: str, version: int) -> None:
        """Whoever puts the model first has the version; it counts once the description is there."""
        model, description = (f"{name}/{version}/{file}" for file in (MODEL_FILE, DESCRIPTION_FILE))
        self._put_new(model, draft / MODEL_FILE)
        try:
            self._put_new(description, draft / DESCRIPTION_FILE)
        except (Taken, RegistryUnavailable):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + model)
            raise

    def _put_new(self, key: str, file: Path) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=file.read_bytes(), IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in EXISTS:
                raise Taken(f"{self._at(key)}: is published already") from None
            raise RegistryUnavailable(f"{self._at(key)}: cannot be written: {_reason(error)}") from None
        except BotoCoreError as error:
            raise RegistryUnavailable(f"{self._at(key)}: cannot be written: {_reason(error)}") from None

    def _at(self, key: str) -> str:
        return f"{S3}{self._bucket}/{self._prefix}{key}"


def _reason(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        said = error.response["Error"]
        return f"{said.get('Code')}: {said.get('Message', '')}".strip(": ")
    return str(error).partition("\n")[0]
