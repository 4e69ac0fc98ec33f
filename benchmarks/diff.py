"""How long `gateway diff` takes: python -m benchmarks.diff RECORDING [--changes 100000].

The recording is made longer (amplify.py), then compared, as a user would, under the shipped mappings and three edited
copies: one rule's condition narrowed; a word in every file (nothing differs, all is translated twice); every rule
renamed (every event is a finding). Prints wall clock and the CPU seconds of all processes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.amplify import Amplifier, key_columns
from gateway.adapters.files import read_recording, write_recording
from gateway.mapping.loader import load
from gateway.model.record import RawRecord

__all__ = ["main"]

MAPPINGS = Path(__file__).parents[1] / "mappings"


def _narrowed(text: str) -> str:
    return text.replace("    when: dated\n", "    when: dated and after.kind != 'residential'\n")


def _reworded(text: str) -> str:
    return re.sub(r"(?m)^( +because: .*[^\"'\n])$", r"\1 again", text, count=1)


def _renamed(text: str) -> str:
    return re.sub(r"(?m)^  - rule: (.*)$", r"  - rule: \1-again", text)


EDITS: dict[str, Callable[[str], str]] = {
    "one condition narrowed": _narrowed,
    "a word in every file": _reworded,
    "every rule renamed": _renamed,
}


def main() -> None:
    """Make the recording, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=0, help="as for gateway diff")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="gateway-diff-bench-") as folder:
        long = Path(folder) / "long.jsonl"
        write_recording(long, _longer(list(read_recording(asked.recording)), asked.changes))
        for name, edit in EDITS.items():
            _compare(name, long, _edited(Path(folder) / name, edit), asked.jobs)


def _longer(records: list[RawRecord], changes: int) -> Iterator[RawRecord]:
    amplifier = Amplifier(
        [one for one in records if one.topic.endswith((".raw", ".transaction"))], key_columns(load(MAPPINGS))
    )
    copies = amplifier.copies(changes)
    print(f"{amplifier.count(copies):,} changes, {copies} times the recording's")
    for place in amplifier.partitions:
        yield from amplifier.records(place, copies)
    yield from amplifier.marker_records(copies)


def _edited(folder: Path, edit: Callable[[str], str]) -> Path:
    shutil.copytree(MAPPINGS, folder)
    for file in folder.rglob("*.yaml"):
        if not file.name.endswith("_test.yaml"):
            file.write_text(edit(file.read_text()))
    return folder


def _compare(name: str, recording: Path, folder: Path, jobs: int) -> None:
    command = [str(Path(sys.executable).with_name("gateway")), "diff", str(MAPPINGS), str(folder)]
    began, before = perf_counter(), os.times()
    done = subprocess.run(
        [*command, "--recording", str(recording), "--jobs", str(jobs)], stdout=subprocess.PIPE, text=True, check=True
    )
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{name}: {perf_counter() - began:.1f} s, CPU {cpu:.1f} s; {done.stdout.splitlines()[1]}")


if __name__ == "__main__":
    main()
