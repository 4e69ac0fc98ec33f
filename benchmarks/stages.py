"""CPU of each stage alone, over a recording, in one thread: where a record's microseconds go.

``python -m benchmarks.stages <recording>``. Each stage runs over the whole recording, the rounds are interleaved.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.adapters.files import read_recording
from gateway.authoring.offline import assemble, books_of, mapping_of_topic, translations
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.record import RawRecord
from gateway.pipeline.decode import Decoder

__all__ = ["stages"]

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def stages(records: Sequence[RawRecord], mappings: Sequence[CompiledMapping], rounds: int = ROUNDS) -> dict[str, float]:
    """Median CPU microseconds a raw record of: decode; decode, admit and assemble; interpret and encode."""
    raw = [(one, mapping) for one in records if (mapping := mapping_of_topic(one.topic, mappings)) is not None]
    books = books_of(mappings)
    units = assemble(records, mappings)

    def decode() -> None:
        decoders = {mapping.name: Decoder(mapping.key) for mapping in mappings}
        for record, mapping in raw:
            decoders[mapping.name](record)

    work: dict[str, Callable[[], object]] = {
        "decode": decode,
        "decode_admit_assemble": lambda: assemble(records, mappings),
        "interpret_encode": lambda: sum(1 for _ in translations(units, mappings, books)),
    }
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, act in work.items():
            since = time.process_time()
            act()
            taken[name].append(1e6 * (time.process_time() - since) / len(raw))
    return {name: round(statistics.median(figures), 1) for name, figures in taken.items()}


def main() -> None:
    """Print one JSON object."""
    records = list(read_recording(Path(sys.argv[1])))
    sys.stdout.write(json.dumps(stages(records, load(ROOT / "mappings"))) + "\n")


if __name__ == "__main__":
    main()
