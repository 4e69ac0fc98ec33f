"""Whatever stands in a record, it has one outcome: no bytes and no value of a column stop anything or get lost."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import assemble, books_of, replay
from gateway.mapping.compiled import CompiledMapping
from gateway.model.record import RawRecord
from tests.golden.pipeline.test_situations import mappings

KEY = b'{"customerId":7}'
TOPIC = "legacy.customer.raw"
UNSENT = "__debezium_unavailable_value"
NUMBERS = ["20261399", "99991231", "12.50", "9" * 50, "NaN", "1e5", "-0", 10**18]
ODD = st.sampled_from(["", "  ", "A", "P", UNSENT, *NUMBERS])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6) | ODD,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
TABLES = ("crm.cust", "crm.cust_addr", "crm.cust_cons", "crm.cust_pref", "crm.mrg_log", "crm.other")


def customer() -> CompiledMapping:
    return mappings()["customer"]


def images(table: str) -> st.SearchStrategy[dict[str, object]]:
    known = customer().tables.get(table)
    raws = sorted(known.raw_columns) if known else ["x"]
    return st.fixed_dictionaries({}, optional=dict.fromkeys([*raws, "unheard_of"], JSON))


CHANGES = st.sampled_from(TABLES).flatmap(
    lambda table: st.tuples(
        st.just(table), st.sampled_from("cudr"), st.none() | images(table), st.none() | images(table)
    )
)


def settle(records: list[RawRecord]) -> None:
    book = books_of([customer()])
    result = replay(assemble(records, [customer()]), [customer()], book)
    assert set(result.outcomes) == {(record.topic, record.partition, record.offset) for record in records}
    assert result.counters.consumed == len(records)
    assert result.counters.dead_lettered + result.counters.parked == len(result.letters)


@given(st.lists(st.none() | st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()), max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_value_has_an_outcome(values: list[bytes | None]) -> None:
    settle([RawRecord(TOPIC, 0, offset, 0, KEY, value) for offset, value in enumerate(values)])


@given(st.lists(CHANGES, min_size=1, max_size=5))
@settings(max_examples=300, deadline=None)
def test_any_column_value_has_an_outcome(changes: list[tuple[str, str, dict | None, dict | None]]) -> None:
    forge = Forge(TOPIC)
    records = [
        forge.change((0, n), {"customerId": 7}, table, op, before, after, Position(700, 100, 110 + n, 1))
        for n, (table, op, before, after) in enumerate(changes)
    ]
    settle(records)
