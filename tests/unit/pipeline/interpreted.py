"""Mapping text and rows in, interpretation out: through the loader, the forge and the worker's own stages."""

from collections.abc import Sequence
from pathlib import Path

from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import Replayed, assemble, replay
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load_text
from gateway.model.event import Interpretation
from gateway.model.record import RawRecord

FOLDER = Path(__file__).parent / "contracts"
UNSENT = "__debezium_unavailable_value"
CUSTOMER = "crm.cust"
ADDRESS = "crm.addr"
HEAD = """
mapping: customer
source: {topics: [legacy.customer.raw], unit: transaction}
aggregate: {type: Customer, key: [customerId]}
"""
TABLES = """
tables:
  crm.cust:
    as: customer
    row: [customerId]
    columns:
      cust_id: {as: customerId, type: int}
      nm:      {as: name}
      sts:     {as: status, decode: {A: active, M: merged, '': null}}
      amt:     {as: amount, type: "decimal(9,2)"}
      ref_kd:  {as: refKind, decode: {P: policy, C: claim}}
      ref_no:  {parts: {policyId: {is: "{{ value | int if row.refKind == 'policy' else null }}"},
                        claimNo:  {is: "{{ value if row.refKind == 'claim' else null }}"}}}
      upd_pgm: {as: changedBy, bookkeeping: true}
  crm.addr:
    as: address
    row: [addressId]
    groups: {place: [street, city]}
    columns:
      addr_id: {as: addressId, type: int}
      cust_id: {as: customerId, type: int}
      typ:     {as: kind, decode: {RES: residential, LEG: legal, BIL: billing}}
      str:     {as: street}
      city:    {}
      upd_pgm: {as: changedBy, bookkeeping: true}
"""
Row = tuple[str, str, dict[str, object] | None, dict[str, object] | None]


def mapped(rules: str, tables: str = TABLES, more: str = "") -> CompiledMapping:
    """The mapping with these rules; ConfigError with its faults."""
    return load_text(f"{HEAD}{more}{tables}rules:\n{rules}", FOLDER)


def replayed(
    mapping: CompiledMapping, rows: Sequence[Row], other: dict[int, dict[str, object]] | None = None
) -> Replayed:
    """One transaction of customer 7's rows, replayed; see `recorded`."""
    return replay(assemble(recorded(rows, other), [mapping]), [mapping])


def recorded(rows: Sequence[Row], other: dict[int, dict[str, object]] | None = None) -> list[RawRecord]:
    """One transaction of customer 7's rows: (table, op letter, before, after). ``other``: far keys by row number."""
    forge, records = Forge("legacy.customer.raw"), []
    for number, (table, op, before, after) in enumerate(rows):
        key = {"customerId": ((before if after is None else after) or {}).get("cust_id", 7)}
        place = Position(749, 1000, 1010 + number, 1_767_225_600_000, number + 1)
        far = (other or {}).get(number)
        records.append(forge.change((0, number), key, table, op, before, after, place, far))
    return records


def interpreted(
    mapping: CompiledMapping, *rows: Row, other: dict[int, dict[str, object]] | None = None
) -> Interpretation:
    """What the one change set of these rows meant."""
    (read,) = replayed(mapping, rows, other).interpretations
    return read


def events(read: Interpretation) -> list[tuple[str, object]]:
    """Rule and `what` of each event, in firing order; fails with the change set's own failure."""
    assert read.failure is None, read.failure
    return [(event.rule, event.data["what"]) for event in read.events]


def reasons(read: Interpretation) -> list[str]:
    """Each record's outcome: the reason of an ignored one, else its kind."""
    return [outcome.reason if outcome.kind == "ignored" else str(outcome.kind) for outcome in read.outcomes]


def customer(**changed: object) -> dict[str, object]:
    """A whole image of customer 7."""
    whole = {"cust_id": 7, "nm": "Ann", "sts": "A", "amt": "1.00", "ref_kd": "P", "ref_no": "12", "upd_pgm": "UI"}
    return {**whole, **changed}


def address(**changed: object) -> dict[str, object]:
    """A whole image of an address of customer 7."""
    return {"addr_id": 1, "cust_id": 7, "typ": "RES", "str": "Elm 1", "city": "Bern", "upd_pgm": "UI", **changed}


def inserted(number: int, **more: object) -> Row:
    """An address that is new."""
    return (ADDRESS, "c", None, address(addr_id=number, **more))


def lacking(image: dict[str, object], *columns: str) -> dict[str, object]:
    """The image without these columns."""
    return {name: value for name, value in image.items() if name not in columns}


def told(rule: str, match: str, what: str = "x", more: str = "") -> str:
    """A rule that tells ``what``."""
    return f'  - rule: {rule}\n    event: Told\n    slot: {rule}\n{more}    {match}\n    data: {{what: "{what}"}}\n'


def noise(rule: str, match: str) -> str:
    """A noise rule."""
    return f"  - noise: {rule}\n    because: derived\n    {match}\n"


RENAMED: Row = (CUSTOMER, "u", customer(), customer(nm="Bob"))
"""Customer 7 has another name."""
