"""Store, web and workers of one run, and a supervisor that starts again what died."""

import subprocess
import time
from pathlib import Path

from tests.chaos.clock import StoreClock
from tests.chaos.proxy import Proxy
from tests.chaos.schedule import Schedule
from tests.integration.models import LADDER, publish_ladder
from tests.integration.s3 import S3
from tests.integration.service import PYTHON, Service
from tests.integration.stack import Stack, copy_of_bundles

WORKERS = ("worker-1", "worker-2")
ROLES = ("store", "web", *WORKERS)
STORE_MEMORY = "192mb"
DISK_BYTES = 256 * 2**20
BUCKET, INPUTS = "paygrade", "inputs"
SETTINGS = {
    "PAYGRADE_QUEUES": "predictions,batches",
    "PAYGRADE_CHILDREN": "1",
    "PAYGRADE_BATCH_CHILDREN": "1",
    "PAYGRADE_WEB_PROCESSES": "2",
    "PAYGRADE_DEFAULT_MODEL": LADDER,
}


class Town(Stack):
    """`with Town(schedule, folder) as town`: everything runs, and `supervise` keeps it running.

    Web and workers reach the store through the proxy; the harness reaches it directly.
    """

    def __init__(self, schedule: Schedule, folder: Path) -> None:
        super().__init__(folder, SETTINGS, STORE_MEMORY)
        folder.mkdir(parents=True, exist_ok=True)
        self.direct_url = self.redis_url
        self.clock = StoreClock(folder)
        self.proxy = Proxy(self._store_port, schedule.seed)
        self.redis_url = f"redis://127.0.0.1:{self.proxy.port}/0"
        self.bundles = copy_of_bundles(folder / "bundles")
        publish_ladder(self.bundles)
        self.disks = [folder / name for name in ("files", "store")]
        self.mounted = [disk for disk in self.disks if _mount(disk)]
        self.settings |= {"PAYGRADE_BUNDLES": str(self.bundles), "PAYGRADE_FILES": str(self.disks[0])}
        self.s3 = S3(folder) if schedule.shape == "s3" else None
        if self.s3:
            for bucket in (BUCKET, INPUTS):
                self.s3.client.create_bucket(Bucket=bucket)
            self.settings |= {
                **self.s3.environment,
                "PAYGRADE_FILES": f"s3://{BUCKET}/files",
                "PAYGRADE_S3_ALLOW": f"s3://{INPUTS}",
            }
        self.running: dict[str, Service] = {}
        self.told_to_stop: list[Service] = []
        self._not_before = dict.fromkeys(ROLES, 0.0)

    def __enter__(self) -> "Town":
        super().__enter__()
        self.running["store"] = self.store
        self.supervise()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(None, None, None)
        self.proxy.close()
        if self.s3:
            self.s3.service.kill_group()
        for disk in self.mounted:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)

    def launch_store(self, *options: str, **environment: str) -> None:
        """With a clock that can be set."""
        super().launch_store(*options, **environment, **self.clock.environment)

    def supervise(self) -> None:
        """Starts what is not there, unless it shall stay away for a while."""
        for role in ROLES:
            service = self.running.get(role)
            now = time.monotonic()
            if (service is None or not service.alive) and now >= self._not_before[role]:
                self._not_before[role] = now + 1  # what cannot start is tried again
                self.running[role] = self._begin(role)

    def keep_away(self, role: str, seconds: float) -> None:
        self._not_before[role] = time.monotonic() + seconds

    def tops(self, role: str) -> list[Service]:
        """The services of `web`, `worker` or `store`."""
        return [service for name, service in self.running.items() if name.startswith(role)]

    def _begin(self, role: str) -> Service:
        if role == "store":
            self.launch_store()
            return self.store
        if role == "web":
            return self._start(role, [PYTHON, "-m", "web", "--port", str(self.port)])
        return self._start(role, [PYTHON, "-m", "worker"])


def _mount(place: Path) -> bool:
    """A file system of its own, where that is allowed."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    return not subprocess.run(command, capture_output=True, check=False).returncode
