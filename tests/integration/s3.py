"""S3 as moto plays it, in a process of its own on this machine."""

from pathlib import Path
from typing import Any

import boto3

from tests.integration.service import PYTHON, Service, clean_environment, free_port, wait_until


class S3:
    """Listens on loopback only; what it knows goes with it."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        command = [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self.service = Service(command, folder / "s3.log", clean_environment())
        wait_until("S3 listens", lambda: not self.service.alive or "Running on http" in self.service.says())
        assert self.service.alive, self.service.says()
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
