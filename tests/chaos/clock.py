"""The clock of the store, which a test may set."""

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class StoreClock:
    """Needs a C compiler; without one `environment` is empty and the clock stays right."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        self.set(0)
        self.environment: dict[str, str] = {}
        if compiler := shutil.which("cc"):
            library = folder / "clock.so"
            command = [compiler, "-shared", "-fPIC", "-O2", str(SOURCE), "-o", str(library), "-ldl"]
            subprocess.run(command, check=True)
            self.environment = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._offset)}

    def set(self, seconds: int) -> None:
        """How many seconds the store is ahead of the truth from now on."""
        with self._offset.open("r+b" if self._offset.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))
