"""A file store whose every call lets others run, and may meet a fault."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from random import Random
from typing import Any

from jobs.files.directory import DirectoryFiles
from jobs.files.store import Disk, Draft, FileRange, FileStore, Reserve
from tests.simulation.network import Network


class SimulatedFiles(FileStore):
    def __init__(self, network: Network, root: Path) -> None:
        self._network = network
        self.files = DirectoryFiles(root, sync=lambda _: None)

    @contextmanager
    def create(self, name: str) -> Iterator[Draft]:
        self._call("create", lambda: None)
        with self.files.create(name) as file:
            yield file
            self._call("publish", lambda: None)

    def draft(self, name: str, state: str = "", at: int = 0) -> Draft:
        draft: Draft = self._call("draft", lambda: self.files.draft(name, state, at))
        return SimulatedDraft(self._call, draft)

    def disk(self) -> Disk:
        return self.files.disk()

    def check_room(self, reserve: Reserve) -> None:
        self._call("check room", lambda: self.files.check_room(reserve))

    def open(self, name: str) -> RawIOBase:
        opened: RawIOBase = self._call("open", lambda: self.files.open(name))
        return opened

    def size(self, name: str) -> int:
        return int(self._call("size", lambda: self.files.size(name)))

    def sizes(self, folder: str) -> dict[str, int]:
        sizes: dict[str, int] = self._call("sizes", lambda: self.files.sizes(folder))
        return dict(sorted(sizes.items()))

    def remove(self, folder: str) -> None:
        self._call("remove", lambda: self.files.remove(folder))

    def remove_file(self, name: str) -> None:
        self._call("remove", lambda: self.files.remove_file(name))

    def folders(self, folder: str) -> Iterator[str]:
        return iter(sorted(self._call("folders", lambda: list(self.files.folders(folder)))))

    def remove_drafts(self, older_than_seconds: float) -> None:
        """The times of files are not those of the simulation."""

    def read(self, name: str) -> bytes:
        content: bytes = self._call("read", lambda: self.files.read(name))
        return content

    def pieces(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        for piece in self.files.pieces(name, start, end):
            self._call("read", lambda: None)
            yield piece

    def _call(self, name: str, perform: Callable[[], Any]) -> Any:
        return self._network.call_files(name, perform)


class SimulatedDraft(Draft):
    def __init__(self, call: Callable[[str, Callable[[], Any]], Any], draft: Draft) -> None:
        self._call = call
        self._draft = draft

    @property
    def at(self) -> int:  # type: ignore[override]
        return self._draft.at

    def write(self, data: bytes | memoryview) -> None:
        self._call("write", lambda: self._draft.write(data))

    def copy(self, source: FileStore, stored: FileRange) -> int:
        assert isinstance(source, SimulatedFiles)
        return int(self._call("copy", lambda: self._draft.copy(source.files, stored)))

    def save(self) -> tuple[str, int]:
        saved: tuple[str, int] = self._call("save", self._draft.save)
        return saved

    def finish(self) -> str:
        tag: str = self._call("finish", self._draft.finish)
        return tag

    def close(self) -> None:
        self._draft.close()


def damage_a_part(root: Path, chance: Random) -> None:
    """Removes one part of a batch, or cuts it short."""
    parts = sorted(path for path in root.glob("batches/*/parts/[!.]*") if path.is_file())
    if not parts:
        return
    part = chance.choice(parts)
    if chance.random() < 0.5:
        part.unlink()
    else:
        content = part.read_bytes()
        part.write_bytes(content[: len(content) // 2])
