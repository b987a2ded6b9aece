"""The docker command line. What it says as it works goes to standard error."""

import subprocess
import sys
from typing import Any

from ecs.errors import BadInput, EcsError

# Not docker build, which takes the engine's own builder even if another is in use.
_BUILD = ("buildx", "build", "--platform", "linux/amd64")
_ZSTD = "compression=zstd,force-compression=true,oci-mediatypes=true"


class Docker:
    def __init__(self) -> None:
        """Raises BadInput if no engine answers."""
        self._ask("version")

    def build(self, target: str, image: str) -> None:
        """Builds a target of the Dockerfile that is here."""
        self._run(*_BUILD, "--target", target, "--tag", image, ".")

    def push(self, target: str, image: str) -> None:
        """Pushes what `build` has built, with layers that unpack faster if this engine can make them."""
        if not self._makes_zstd():
            self._run("push", image)
            return
        # What was built is taken from the cache.
        output = f"type=image,name={image},push=true,{_ZSTD}"
        self._run(*_BUILD, "--target", target, "--provenance=false", "--output", output, ".")

    def login(self, registry: str, user: str, password: str) -> None:
        """The password goes in on standard input: a command line can be read by everybody on the machine."""
        self._run("login", "--username", user, "--password-stdin", registry, stdin=password)

    def _makes_zstd(self) -> bool:
        """With the image store of containerd, or a builder of its own; the engine's older store cannot."""
        if "io.containerd.snapshotter" in self._ask("info", "--format", "{{.DriverStatus}}"):
            return True
        drivers = [
            line.split()[-1] for line in self._ask("buildx", "inspect").splitlines() if "Driver:" in line
        ]
        return bool(drivers) and "docker" not in drivers

    def _ask(self, *arguments: str) -> str:
        done = self._start(arguments, capture_output=True)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise BadInput(f"docker {arguments[0]}: {said[-1] if said else 'failed'}", "is Docker running?")
        return str(done.stdout)

    def _run(self, *arguments: str, stdin: str = "") -> None:
        if self._start(arguments, stdin, stdout=sys.stderr).returncode:
            raise EcsError(
                f"docker {arguments[0]} failed, as it says above; nothing more was pushed",
                "mend that, then python -m ecs push again: what is pushed already stays",
            )

    def _start(self, arguments: tuple[str, ...], stdin: str = "", **output: Any) -> Any:
        try:
            return subprocess.run(["docker", *arguments], input=stdin, text=True, **output)
        except FileNotFoundError:
            raise BadInput("there is no docker command on this machine", "install Docker") from None
