"""The truth file: what every transaction meant, told outside the database, line by line as it happens.

JSON lines, each flushed when written, so a kill loses nothing that began:
    {"tx": "17", "phase": "planned", "label": …, "application": …, "writer": …, "facts": [{event, intent, aggregate:
     [type, id], data, twin}], "none": why or null, "untranslatable": [[type, id]], "unexplained": [[type, id, units]],
     "mixed": n, "tables": […], "touched": [[type, id]]}           before the first SQL statement
    {"tx": "17", "phase": "begun", "xid": "7491", "txId": 7491, "ordinals": [[type, id, n]]}      under the locks
    {"tx": "17", "phase": "committed"}                 or rolledback, aborted (also after asking the database)
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import psycopg

from legacy_db.work import Aggregate, Fact, Transaction

__all__ = ["TruthFile", "TruthTransaction", "read_truth", "settle"]


@dataclass(slots=True)
class TruthTransaction:
    """One attempt at a transaction as the truth file tells it; `outcome` is None if it never ended on record."""

    tx: str
    label: str
    application: str
    writer: str
    stamped_badly: bool
    facts: Sequence[Fact]
    none: str | None
    untranslatable: Sequence[Aggregate]
    unexplained: Mapping[Aggregate, int]
    mixed: int
    tables: Sequence[str]
    touched: Sequence[Aggregate]
    xid: str | None = None
    tx_id: int | None = None
    ordinals: Mapping[Aggregate, int] = field(default_factory=dict)
    outcome: str | None = None

    @property
    def committed(self) -> bool:
        """Whether it took effect."""
        return self.outcome == "committed"


class TruthFile:
    """Writes the truth from many threads; a context manager. Appends to what is there, and numbers on."""

    def __init__(self, path: Path, known: Sequence[TruthTransaction] = ()) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stream: TextIO | None = None
        self._ordinals: dict[Aggregate, int] = defaultdict(int)
        for transaction in known:
            for aggregate, ordinal in transaction.ordinals.items():
                self._ordinals[aggregate] = max(self._ordinals[aggregate], ordinal)

    def __enter__(self) -> TruthFile:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # a kill may have left half a line: what follows must not be glued to it
        torn = self._path.exists() and not self._path.read_bytes().endswith(b"\n") and self._path.stat().st_size > 0
        self._stream = self._path.open("a", encoding="utf-8")
        if torn:
            self._stream.write("\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._stream is not None:
            self._stream.close()

    def planned(self, tx: str, transaction: Transaction) -> None:
        """Before the first SQL statement: what it means."""
        self._tell(tx, "planned", **_meaning(transaction))

    def begun(self, tx: str, xid: str, touched: Sequence[Aggregate]) -> None:
        """Under the locks: its id, and each aggregate's next ordinal."""
        with self._lock:
            ordinals = []
            for aggregate in touched:
                self._ordinals[aggregate] += 1
                ordinals.append([*aggregate, self._ordinals[aggregate]])
            # Debezium shows the 32 bits that PostgreSQL writes into its log
            self._write({"tx": tx, "phase": "begun", "xid": xid, "txId": int(xid) & 0xFFFFFFFF, "ordinals": ordinals})

    def ended(self, tx: str, outcome: str) -> None:
        """`committed`, `rolledback`, or `aborted`."""
        self._tell(tx, outcome)

    def _tell(self, tx: str, phase: str, **rest: object) -> None:
        with self._lock:
            self._write({"tx": tx, "phase": phase, **rest})

    def _write(self, line: Mapping[str, object]) -> None:
        if self._stream is None:
            raise ValueError(f"{self._path}: the truth file is not open")
        self._stream.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        self._stream.flush()


def _meaning(transaction: Transaction) -> dict[str, object]:
    return {
        "label": transaction.label,
        "application": transaction.application,
        "writer": transaction.writer.condition,
        "stampedBadly": transaction.stamped_badly,
        "facts": [
            {"event": f.event, "intent": f.intent, "aggregate": list(f.aggregate), "data": f.data, "twin": f.twin}
            for f in transaction.facts
        ],
        "none": transaction.why_none,
        "untranslatable": [list(aggregate) for aggregate in transaction.untranslatable],
        "unexplained": [[*aggregate, units] for aggregate, units in transaction.unexplained.items()],
        "mixed": transaction.mixed,
        "tables": sorted(transaction.tables),
        "touched": [list(aggregate) for aggregate in transaction.touched],
    }


def read_truth(path: Path) -> list[TruthTransaction]:
    """Every attempt on record, in the order planned. A last line cut short by a kill is left out."""
    found: dict[str, TruthTransaction] = {}
    if not path.exists():
        return []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            # only a kill in the midst of a write leaves such a line, and what it began to say never took place
            continue
        if line["phase"] == "planned":
            found[line["tx"]] = _planned(line)
        elif line["phase"] == "begun":
            transaction = found[line["tx"]]
            transaction.xid, transaction.tx_id = line["xid"], line["txId"]
            transaction.ordinals = {(kind, number): ordinal for kind, number, ordinal in line["ordinals"]}
        else:
            found[line["tx"]].outcome = line["phase"]
    return list(found.values())


def _planned(line: Mapping[str, Any]) -> TruthTransaction:
    return TruthTransaction(
        tx=line["tx"],
        label=line["label"],
        application=line["application"],
        writer=line["writer"],
        stamped_badly=line["stampedBadly"],
        facts=[
            Fact(fact["event"], fact["intent"], _aggregate(fact["aggregate"]), fact["data"], fact["twin"])
            for fact in line["facts"]
        ],
        none=line["none"],
        untranslatable=[_aggregate(each) for each in line["untranslatable"]],
        unexplained={(kind, number): units for kind, number, units in line["unexplained"]},
        mixed=line["mixed"],
        tables=line["tables"],
        touched=[_aggregate(each) for each in line["touched"]],
    )


def _aggregate(pair: Sequence[Any]) -> Aggregate:
    return str(pair[0]), int(pair[1])


def settle(path: Path, dsn: str) -> int:
    """Asks the database about every transaction that began and whose end is not on record, and records the answer.

    Returns how many there were. Raises psycopg.Error if the database cannot be asked.
    """
    unclear = [each for each in read_truth(path) if each.xid is not None and each.outcome is None]
    if not unclear:
        return 0
    with psycopg.connect(dsn) as connection, TruthFile(path) as truth:
        for transaction in unclear:
            row = connection.execute("SELECT pg_xact_status(%s::xid8)", [transaction.xid]).fetchone()
            truth.ended(transaction.tx, "committed" if row and row[0] == "committed" else "aborted")
    return len(unclear)
