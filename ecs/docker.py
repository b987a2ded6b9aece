"""The docker command line. Its progress output goes to standard error."""

import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from ecs.errors import EcsError, InvalidUsage

# Not `docker build`, which uses the engine's own builder even if another one is selected.
_BUILD = ("buildx", "build", "--platform")
_ZSTD = "compression=zstd,force-compression=true,oci-mediatypes=true"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REGISTRY_TIMEOUT_SECONDS = 60


class DigestUnknown(Exception):
    """No registry returned the digest of an image."""


class Docker:
    def __init__(self, platform: str) -> None:
        """`platform`: of the images, such as linux/amd64. Raises InvalidUsage if no engine responds."""
        self._platform = platform
        self._query("version")

    def digest(self, image: str) -> str:
        """The image's current digest in its registry. Raises DigestUnknown if the registry gives none."""
        command = ("buildx", "imagetools", "inspect", "--format", "{{json .Manifest.Digest}}", image)
        try:
            done = self._start(command, capture_output=True, timeout=REGISTRY_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise DigestUnknown(f"no answer within {REGISTRY_TIMEOUT_SECONDS} s") from None
        if done.returncode:
            raise DigestUnknown(_last_line(done.stderr))
        digest = str(done.stdout).strip().strip('"')
        if not _DIGEST.fullmatch(digest):
            raise DigestUnknown(f"docker printed {digest[:100]!r}")
        return digest

    def build(self, target: str, image: str, bases: Mapping[str, str]) -> None:
        """Builds a target of the Dockerfile in the current directory."""
        self._run(*_BUILD, self._platform, *_target(target, bases), "--tag", image, ".")

    def push(self, target: str, image: str, bases: Mapping[str, str]) -> None:
        """Pushes what `build` has built, with zstd layers (faster to unpack) if the engine supports them."""
        if not self._supports_zstd():
            self._run("push", image)
            return
        # The build takes every step from the cache.
        output = f"type=image,name={image},push=true,{_ZSTD}"
        self._run(
            *_BUILD, self._platform, *_target(target, bases), "--provenance=false", "--output", output, "."
        )

    def login(self, registry: str, user: str, password: str) -> None:
        """Passes the password on standard input, since other users can read command lines."""
        self._run("login", "--username", user, "--password-stdin", registry, stdin=password)

    def _supports_zstd(self) -> bool:
        """True with containerd's image store, or with a builder other than the engine's own."""
        if "io.containerd.snapshotter" in self._query("info", "--format", "{{.DriverStatus}}"):
            return True
        drivers = [
            line.split()[-1] for line in self._query("buildx", "inspect").splitlines() if "Driver:" in line
        ]
        return bool(drivers) and "docker" not in drivers

    def _query(self, *arguments: str) -> str:
        done = self._start(arguments, capture_output=True)
        if done.returncode:
            raise InvalidUsage(
                f"docker {arguments[0]}: {_last_line(done.stderr)}", "check that the Docker engine is running"
            )
        return str(done.stdout)

    def _run(self, *arguments: str, stdin: str = "") -> None:
        if self._start(arguments, stdin, stdout=sys.stderr).returncode:
            raise EcsError(
                f"docker {arguments[0]} failed with the errors above; nothing else was pushed",
                "correct the cause and run python -m ecs push again; images already pushed are kept",
            )

    def _start(self, arguments: tuple[str, ...], stdin: str = "", **options: Any) -> Any:
        try:
            return subprocess.run(["docker", *arguments], input=stdin, text=True, **options)
        except FileNotFoundError:
            raise InvalidUsage("the docker command was not found", "install Docker") from None


def _target(target: str, bases: Mapping[str, str]) -> tuple[str, ...]:
    arguments = [word for name, image in bases.items() for word in ("--build-arg", f"{name}={image}")]
    return (*arguments, "--target", target)


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else "failed without a message"
