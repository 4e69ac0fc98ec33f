"""Tables of a veterinary practice, as a live database and as records tell of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.model.record import RawRecord
from gateway.model.shape import ColumnShape, Reference, TableShape

OWNER, PET, VISIT = "vet.own", "vet.tier", "vet.bes"


def shape(name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, object]], **more: Any) -> TableShape:
    return TableShape(name, tuple(ColumnShape(one, kind) for one, kind in columns.items()), rows=tuple(rows), **more)


def practice() -> list[TableShape]:
    """Owners by clinic and number, their animals, their visits: composite keys, a packed column, soft deletes."""
    numbers = range(1, 121)
    owner = shape(
        OWNER,
        {"clin_no": "integer", "own_no": "integer", "nm": "character(40)", "mail": "text", "dlt_kz": "character(1)",
         "anl_dat": "integer", "upd_ts": "timestamp without time zone"},
        [{"clin_no": 1 + n % 3, "own_no": n, "nm": f"Halter {n}", "mail": f"a{n}@example.org",
          "dlt_kz": "Y" if n % 9 == 0 else "N", "anl_dat": 0 if n % 50 == 0 else 20200101 + n % 28,
          "upd_ts": "2026-01-31T08:30:00Z"} for n in numbers],
        key=("clin_no", "own_no"), comment="Owners, by clinic",
    )  # fmt: skip
    pet = shape(
        PET,
        {"clin_no": "integer", "own_no": "integer", "tr_lfd": "smallint", "art": "character(2)",
         "merkm": "character(24)", "gew": "numeric(6,2)"},
        [{"clin_no": 1 + n % 3, "own_no": n, "tr_lfd": 1, "art": "HD" if n % 2 else "KA",
          "merkm": f"RAUH{n:06d}BRAUN JN", "gew": "12.50"} for n in numbers],
        key=("clin_no", "own_no", "tr_lfd"),
        references=(Reference(("clin_no", "own_no"), OWNER, ("clin_no", "own_no")),),
    )  # fmt: skip
    visit = shape(
        VISIT,
        {"bes_id": "bigint", "clin_no": "integer", "hlt_no": "integer", "ts": "timestamp with time zone", "no": "text"},
        [{"bes_id": 1000 + n, "clin_no": 1 + n % 3, "hlt_no": n % 60, "ts": "2026-01-31T08:30:00Z", "no": "x"}
         for n in numbers],
        key=("bes_id",), references=(Reference(("clin_no", "hlt_no"), OWNER, ("clin_no", "own_no")),),
    )  # fmt: skip
    return [owner, pet, visit]


def records(shapes: Sequence[TableShape]) -> Iterator[RawRecord]:
    """The snapshot of these tables, then an update of each tenth row that touches its last column and one other."""
    offset = 0
    for one in shapes:
        schema, _, table = one.name.partition(".")
        for number, row in enumerate(one.rows):
            owner = row.get("own_no", row.get("hlt_no"))
            key = json.dumps({"clinNo": row["clin_no"], "ownNo": owner}).encode()
            changed = {
                **row,
                one.columns[-1].name: "2026-02-01T08:30:00Z",
                one.columns[2].name: row[one.columns[2].name],
            }
            changes = [("r", None, row)] + ([("u", row, changed)] if number % 10 == 0 else [])
            for op, before, after in changes:
                value = {"op": op, "before": before, "after": after, "source": {"schema": schema, "table": table}}
                yield RawRecord("owners.raw", 0, offset, 1_767_225_600_000, key, json.dumps(value).encode())
                offset += 1
