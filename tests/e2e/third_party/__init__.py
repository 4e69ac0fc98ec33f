"""A reader of other make, run as a process of its own (``reader.py``)."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["READER", "as_published", "read_all"]

READER = Path(__file__).parent / "reader.py"
ROOT = Path(__file__).parents[3]
AGGREGATES = {"customer": "Customer", "policy": "Policy", "billing-account": "BillingAccount", "claim": "Claim"}


def read_all(
    bootstrap: str, registry_url: str, topics: Sequence[str], contracts: Iterable[Path] | None = None
) -> list[dict[str, Any]]:
    """Every committed event of ``topics`` (full names), as the other process understood it.

    Each is ``{topic, partition, offset, attributes, lineage, data}``; decimals, dates and times in ``data`` are text.
    ``contracts``: folders with the previous version of each contract; by default all of ``mappings/*/events/history``.
    AssertionError with the reader's own words if it cannot read one.
    """
    folders = sorted(contracts if contracts is not None else ROOT.glob("mappings/*/events/history"))
    command = [sys.executable, str(READER), "--bootstrap", bootstrap, "--registry", registry_url]
    command += ["--contracts", *map(str, folders), "--topics", *topics]
    done = subprocess.run(command, capture_output=True, text=True, cwd=READER.parent, timeout=300)
    assert done.returncode == 0, f"the third-party reader failed:\n{done.stderr[-3000:]}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_published(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the reader understood, as ``legacy_db.oracle.compare`` takes it, in each partition's order."""
    found = []
    for line in lines:
        lineage = dict(part.split("=", 1) for part in line["lineage"].split(","))
        found.append(
            {
                "event": line["attributes"]["type"].rsplit(".", 1)[1],
                "intent": lineage["intent"],
                "aggregateType": AGGREGATES[line["topic"].rsplit(".", 2)[-2]],
                "aggregateId": line["attributes"]["subject"],
                "txId": int(lineage["tx"]) if "tx" in lineage else None,
                "data": line["data"],
            }
        )
    return found
