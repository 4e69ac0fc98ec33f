"""Files for transactions that do not fit into memory, on a disk and in memory."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.adapters.memory_spill import MemoryDisk
from gateway.adapters.spill import DiskSpill
from gateway.model.errors import SpillFull
from gateway.pipeline.spool import SpillFile

ROOM = 100_000


@pytest.fixture(params=["disk", "memory"])
def open_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], SpillFile]]:
    """Opens files that hold a hundred thousand bytes at most."""
    if request.param == "memory":
        yield MemoryDisk(ROOM).file
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield lambda: DiskSpill(str(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_written_is_read_back_from_its_place(open_file: Callable[[], SpillFile]) -> None:
    file = open_file()
    places = {file.append(bytes([number]) * number): number for number in range(200)}
    assert all(file.read(place, number) == bytes([number]) * number for place, number in places.items())
    file.close()


def test_without_room_it_says_so_and_what_stands_there_is_still_read(open_file: Callable[[], SpillFile]) -> None:
    file = open_file()
    place = file.append(b"a" * 60_000)
    with pytest.raises(SpillFull):
        file.append(b"b" * 60_000)
    assert file.read(file.append(b"c" * 10), 10) == b"c" * 10
    assert file.read(place, 60_000) == b"a" * 60_000


def test_a_closed_file_gives_its_room_back(open_file: Callable[[], SpillFile]) -> None:
    for _ in range(5):
        file = open_file()
        file.append(b"a" * 60_000)
        file.close()
        file.close()


def test_a_folder_that_is_not_there_has_no_room(tmp_path: Path) -> None:
    with pytest.raises(SpillFull, match="nowhere"):
        DiskSpill(str(tmp_path / "nowhere")).append(b"a")


def test_nobody_else_sees_the_file(tmp_path: Path) -> None:
    file = DiskSpill(str(tmp_path))
    file.append(b"a")
    assert list(tmp_path.iterdir()) == []
    file.close()
