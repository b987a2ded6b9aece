"""AWS as ministack emulates it on this machine, and the command line pointed at it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from ecs import images
from tests.integration.service import PYTHON, ROOT, Service, clean_environment, free_port, wait_until

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class CommandResult:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cloud:
    """Listens on loopback only; its resources end with it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        environment = clean_environment(
            BIND_HOST="127.0.0.1", GATEWAY_PORT=str(self.port), IOT_MTLS_ENABLED="0", TMPDIR=str(folder)
        )
        emulator = [PYTHON, "-m", "tests.integration.ecs.emulator"]
        self.service = Service(emulator, folder / "ministack.log", environment)
        wait_until("ministack listens", self._listens)

    def _listens(self) -> bool:
        assert self.service.alive, self.service.says()
        return "Running on http" in self.service.says()

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **inherited,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            **more,
        }

    def ecs(self, *arguments: str, stdin: str | None = None, **environment: str) -> CommandResult:
        """Runs `python -m ecs` without a terminal."""
        done = subprocess.run(
            [PYTHON, "-m", "ecs", *arguments],
            cwd=ROOT,
            env={name: value for name, value in self.environment(**environment).items() if value},
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def push(self, deployment: str, tag: str, architecture: str = images.X86) -> None:
        """Puts image manifests under the tag, without layers."""
        ecr = self.client("ecr")
        present = ecr.describe_images(repositoryName=f"{deployment}/redis")["imageDetails"]
        present_tags = {each for image in present for each in image["imageTags"]}
        for image, own in images.tags(tag, architecture).items():
            if image == "redis" and own in present_tags:
                continue
            manifest = {
                "schemaVersion": 2,
                "config": {"digest": f"sha256:{own.encode().hex():0>64}"},
                "layers": [],
            }
            ecr.put_image(
                repositoryName=f"{deployment}/{image}", imageTag=own, imageManifest=json.dumps(manifest)
            )

    def stop(self) -> None:
        self.service.kill_group()
