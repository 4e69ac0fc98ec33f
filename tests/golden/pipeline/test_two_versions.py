"""One rule, two versions of its event (`also`), from the example of the specification: what is on the wire."""

import io
from pathlib import Path
from typing import Any

import fastavro
import pytest

from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import Replayed, assemble, books_of, replay
from gateway.mapping.loader import load, load_text
from gateway.model.event import EncodedEvent
from gateway.model.record import RawRecord
from gateway.pipeline.translate import translate
from gateway.services.worker_tally import Tally
from gateway.telemetry.signals import EventsPublished

FOLDER = Path(__file__).parents[1] / "mapping/section2/mappings"
MAPPINGS = load(FOLDER)
BEFORE = {
    "addr_id": 1, "cust_id": 7, "addr_typ": "RES", "str": "Old 1", "zip": "1000", "city": "Bern", "ctry": "CH",
    "lat": "1", "lon": "2", "chk": " ", "val_frm": 20200101, "val_to": 99991231, "upd_pgm": "UI",
}  # fmt: skip


def change(**changed: object) -> RawRecord:
    """One transaction that updates an address."""
    position = Position(3, 300, 310, 1_767_225_600_000)
    after = {**BEFORE, **changed}
    return Forge("legacy.customer.raw").change((0, 3), {"customerId": 7}, "crm.cust_addr", "u", BEFORE, after, position)


def headers(event: EncodedEvent) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in event.headers}


def body(event: EncodedEvent) -> Any:
    kinds = MAPPINGS[0].events[event.event.name].versions
    kind = next(one for one in kinds if one.version == event.event.version)
    return fastavro.schemaless_reader(io.BytesIO(event.value[5:]), fastavro.parse_schema(dict(kind.schema)), None)


@pytest.fixture(scope="module")
def both() -> Replayed:
    return replay(assemble([change(str="New 2")], MAPPINGS), MAPPINGS)


def test_both_versions_are_published_side_by_side_each_under_its_own_schema(both: Replayed) -> None:
    newest, older = both.events
    assert newest.topic == older.topic == "customer.events"
    assert (newest.key, older.key) == (b"7", b"7")
    assert newest.value[:5] != older.value[:5]
    assert body(newest)["address"]["street"] == body(older)["newAddress"]["street"] == "New 2"
    assert "validFrom" in body(newest)
    assert "validFrom" not in body(older)


def test_they_have_ids_and_types_of_their_own_and_an_equal_sequence(both: Replayed) -> None:
    newest, older = map(headers, both.events)
    assert newest["ce_id"] != older["ce_id"]
    assert newest["ce_sequence"] == older["ce_sequence"]
    assert newest["ce_type"] == "insurer.customer.v2.CustomerAddressChanged"
    assert older["ce_type"] == "insurer.customer.v1.CustomerAddressChanged"
    assert newest["lineage"] == older["lineage"]


def test_an_older_version_beside_it_changes_no_id_and_no_sequence_of_the_newest(both: Replayed) -> None:
    text = (FOLDER / "customer" / "customer.yaml").read_text()
    alone = "\n".join(line for line in text.split("\n") if not line.strip().startswith("also:"))
    mappings = (load_text(alone, FOLDER, "customer/customer.yaml"),)
    (event,) = replay(assemble([change(str="New 2")], mappings), mappings).events
    told, newest = headers(event), headers(both.events[0])
    assert (told["ce_id"], told["ce_sequence"]) == (newest["ce_id"], newest["ce_sequence"])


def test_two_events_are_counted_of_one_record(both: Replayed) -> None:
    assert both.counters.events == 2
    assert (both.counters.consumed, both.counters.published) == (1, 1)
    assert [event.event.place for event in both.events] == [0, 0]


def test_metrics_count_each_version_by_itself() -> None:
    (unit,) = assemble([change(str="New 2")], MAPPINGS)
    tally = Tally()
    tally.add(unit, "customer", translate(unit, books_of(MAPPINGS)["customer"], {}))
    told = [one for one in tally.signals(0.0) if isinstance(one, EventsPublished)]
    assert sorted((one.event, one.version, one.count) for one in told) == [
        ("CustomerAddressChanged", 1, 1),
        ("CustomerAddressChanged", 2, 1),
    ]
