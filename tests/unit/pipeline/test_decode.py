"""Raw bytes → change, mark or broken record: each kind of bad input has its class, and good ones get through."""

import io
import json
from base64 import b64encode

import fastavro
import pytest

from gateway.authoring.forge import Forge, Position
from gateway.model.change import ChangeEvent, Operation
from gateway.model.errors import ConfigError, LetterClass, RecordError
from gateway.model.record import RawRecord
from gateway.model.unit import Broken, Mark, MarkKind
from gateway.model.values import UNSENT
from gateway.pipeline.decode import Decoder
from gateway.pipeline.markers import End, parse_end

TOPIC = "legacy.customer.raw"
AT = Position(749, 100, 110, 1_700_000_000_000, 3)
ROW = {"cust_id": 7, "nm": "Ann  "}


def change(schema_block=False, op="u", before=ROW, after=ROW, key=None, position=AT, other=None) -> RawRecord:
    forge = Forge(TOPIC, schema_block=schema_block)
    return forge.change((0, 5), key or {"customerId": 7}, "crm.cust", op, before, after, position, other)


def raw(value: bytes | None, key: bytes | None = b'{"customerId":7}') -> RawRecord:
    return RawRecord(TOPIC, 0, 5, 0, key, value)


@pytest.fixture
def decode() -> Decoder:
    return Decoder(("customerId",))


@pytest.mark.parametrize("schema_block", [False, True])
def test_a_change_is_read_with_and_without_its_schema_block(decode, schema_block):
    event = decode(change(schema_block))
    assert isinstance(event, ChangeEvent)
    assert (event.table, event.operation, event.before, event.after) == ("crm.cust", Operation.UPDATE, ROW, ROW)
    assert (event.key, event.aggregate_id) == ({"customerId": 7}, "7")
    source = event.source
    assert (source.name, source.tx_id, source.commit, source.lsn, source.total_order) == ("legacy", 749, 100, 110, 3)
    assert not source.snapshot


@pytest.mark.parametrize("op", list("cudr"))
def test_all_row_operations_are_read(decode, op):
    event = decode(change(op=op, before=None if op in "cr" else ROW, after=None if op == "d" else ROW))
    assert isinstance(event, ChangeEvent)
    assert event.operation == op
    assert event.source.snapshot == (op == "r")


def test_c_may_be_null(decode):
    assert decode(change(position=Position(749, None, 110, 1))).source.commit is None


def test_a_snapshot_row_needs_no_transaction(decode):
    event = decode(change(op="r", before=None, position=Position(None, None, 110, 1)))
    assert isinstance(event, ChangeEvent)
    assert event.source.snapshot


@pytest.mark.parametrize(
    "placeholder",
    [
        "__debezium_unavailable_value",
        ["__debezium_unavailable_value"],
        "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
        ["X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="],
    ],
)
def test_every_form_of_the_placeholder_is_unsent(decode, placeholder):
    event = decode(change(after={**ROW, "note": placeholder}))
    assert event.after["note"] is UNSENT
    assert event.after["nm"] == "Ann  "


def test_both_halves_of_a_key_change_know_the_other_key(decode):
    leaves = decode(change(op="d", after=None, other={"cust_id": 8}))
    arrives = decode(change(op="c", before=None, other={"cust_id": 7}))
    assert leaves.other_key == {"cust_id": 8}
    assert arrives.other_key == {"cust_id": 7}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, MarkKind.TOMBSTONE),
        (b"null", None),
        (b'{"ts_ms":1}', MarkKind.HEARTBEAT),
        (b'{"status":"BEGIN","id":"7:9","ts_ms":1}', MarkKind.TRANSACTION),
        (b'{"schema":{},"payload":null}', MarkKind.TOMBSTONE),
    ],
)
def test_records_that_change_no_row_have_their_kind(decode, value, kind):
    decoded = decode(raw(value))
    assert (decoded.kind if isinstance(decoded, Mark) else None) == kind


def test_a_truncate_has_no_key_and_names_its_table(decode):
    record = Forge(TOPIC).change((0, 1), None, "crm.cust", "t", None, None, AT)
    assert decode(record) == Mark(record, MarkKind.TRUNCATE, "crm.cust")


def message(tx_id: int | None, content: str = '{"reason":"moved","customerId":8}') -> RawRecord:
    value = json.loads(change(op="c", before=None, position=Position(tx_id, 100, 110, 1)).value)
    value |= {"op": "m", "after": None, "message": {"prefix": "7", "content": b64encode(content.encode()).decode()}}
    return raw(json.dumps(value).encode())


def test_a_message_of_a_transaction_reads_as_an_inserted_row_of_its_content_under_the_record_s_key(decode):
    event = decode(message(749))
    assert (event.table, event.after) == ("message", {"reason": "moved", "customerId": 7})


def test_a_message_outside_any_transaction_is_a_mark(decode):
    assert decode(message(None)).kind is MarkKind.MESSAGE


@pytest.mark.parametrize("content", ["", "hi", "[1]", '"reason"', "{'reason': 1}", "7"])
def test_a_message_that_is_no_json_object_is_broken(decode, content):
    decoded = decode(message(749, content))
    assert isinstance(decoded, Broken)
    assert (decoded.error.letter_class, decoded.aggregate_id) == (LetterClass.DECODE, "7")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b'{"before":"\xff"}',
        b"[1,2]",
        b'"text"',
        b"17",
        b"{}",
        b'{"op":"u"}',
        b'{"op":"x","source":{"name":"legacy","ts_ms":1,"txId":1,"lsn":1},"after":{}}',
        b'{"op":"u","after":[1],"source":{}}',
        b'{"op":"c","after":null,"source":{"name":"legacy","ts_ms":1,"txId":1,"lsn":1}}',
        b'{"op":"u","before":{},"after":{},"source":{"name":"legacy","ts_ms":1}}',
        b'{"op":"u","before":{},"after":{},"source":{"name":"l","ts_ms":1,"txId":1,"lsn":1,"sequence":"x"}}',
        b"\x00\x00\x00\x00\x01abc",
        b"[" * 200_000,
    ],
)
def test_what_is_no_envelope_is_broken_and_keeps_its_key(decode, value):
    decoded = decode(raw(value))
    assert isinstance(decoded, Broken)
    assert decoded.error.letter_class is LetterClass.DECODE
    assert (decoded.key, decoded.aggregate_id) == ({"customerId": 7}, "7")


@pytest.mark.parametrize("damaged", [b'"schema"', b'"version"', b'"transaction"'])
def test_damage_in_the_name_of_a_member_does_not_make_it_absent(decode, damaged):
    """A parser that skips unknown members would take the row for one of another table."""
    record = change()
    value = (record.value or b"").replace(damaged, damaged[:3] + b"\xff" + damaged[3:])
    assert value != record.value
    broken = decode(raw(value))
    assert isinstance(broken, Broken)
    assert broken.error.letter_class is LetterClass.DECODE
    assert broken.aggregate_id == "7"


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"no json", b"7", b'"7"', b'{"customerId":[1]}'])
def test_a_row_whose_key_cannot_be_read_is_broken_alone(decode, key):
    decoded = decode(raw(change().value, key))
    assert isinstance(decoded, Broken)
    assert (decoded.error.letter_class, decoded.key) == (LetterClass.DECODE, None)


def test_a_null_key_column_is_drift(decode):
    decoded = decode(raw(change().value, b'{"customerId":null}'))
    assert isinstance(decoded, Broken)
    assert decoded.error.letter_class is LetterClass.DRIFT


@pytest.mark.parametrize("key", [b'{"cust_id":7}', b"{}", b'{"customerId":7,"more":1}'])
def test_a_row_keyed_otherwise_stops_the_partition(decode, key):
    with pytest.raises(ConfigError, match="customerId"):
        decode(raw(change().value, key))


def test_a_broken_value_under_a_foreign_key_stops_nothing(decode):
    decoded = decode(raw(b"broken", b'{"foo":1}'))
    assert isinstance(decoded, Broken)
    assert decoded.key is None


def test_a_value_of_ten_megabytes_is_read(decode):
    event = decode(change(after={**ROW, "note": "x" * 10_000_000}))
    assert len(event.after["note"]) == 10_000_000


SCHEMA = {
    "type": "record", "name": "Envelope", "namespace": "legacy.crm.cust",
    "fields": [
        {"name": "before", "type": ["null", {"type": "record", "name": "Value", "fields": [
            {"name": "cust_id", "type": "int"},
            {"name": "born", "type": {"type": "int", "logicalType": "date"}},
            {"name": "pic", "type": "bytes"}]}]},
        {"name": "after", "type": ["null", "Value"]},
        {"name": "source", "type": {"type": "record", "name": "Source", "fields": [
            {"name": "name", "type": "string"}, {"name": "db", "type": "string"}, {"name": "schema", "type": "string"},
            {"name": "table", "type": "string"}, {"name": "txId", "type": ["null", "long"]},
            {"name": "lsn", "type": ["null", "long"]}, {"name": "ts_ms", "type": "long"},
            {"name": "sequence", "type": ["null", "string"]}, {"name": "snapshot", "type": ["null", "string"]}]}},
        {"name": "op", "type": "string"},
    ],
}  # fmt: skip


def avro_value() -> bytes:
    body = io.BytesIO(b"\x00\x00\x00\x00\x2a")
    body.seek(5)
    row = {"cust_id": 7, "born": 20000, "pic": b"__debezium_unavailable_value"}
    source = {"name": "legacy", "db": "insurer", "schema": "crm", "table": "cust", "txId": 749, "lsn": 110, "ts_ms": 9}
    source |= {"sequence": '["100","110"]', "snapshot": None}
    fastavro.schemaless_writer(
        body, fastavro.parse_schema(SCHEMA), {"before": row, "after": row, "source": source, "op": "u"}
    )
    return body.getvalue()


def test_avro_in_confluent_wire_format_reads_like_json():
    event = Decoder(("customerId",), {42: SCHEMA}.__getitem__)(raw(avro_value()))
    assert isinstance(event, ChangeEvent)
    assert (event.table, event.source.commit) == ("crm.cust", 100)
    assert event.after == {"cust_id": 7, "born": "2024-10-04", "pic": UNSENT}


@pytest.mark.parametrize("value", [b"", b"\x01\x00\x00\x00\x2aabc", b"{}", b"\x00\x00\x00\x00\x2a", None])
def test_bad_avro_is_broken(value):
    value = avro_value()[:-9] if value is None else value
    decoded = Decoder(("customerId",), {42: SCHEMA}.__getitem__)(raw(value))
    assert isinstance(decoded, Broken)
    assert decoded.error.letter_class is LetterClass.DECODE


def test_an_end_gives_transaction_and_lsn():
    value = b'{"status":"END","id":"749:24023128","ts_ms":5,"event_count":3,"data_collections":[]}'
    assert parse_end(value) == End(749, 24023128, 5, 3)
    assert parse_end(b'{"schema":{},"payload":%s}' % value) == End(749, 24023128, 5, 3)
    assert parse_end(b'{"status":"BEGIN","id":"749:1","ts_ms":5}') is None
    assert parse_end(None) is None


@pytest.mark.parametrize("value", [b"x", b"{}", b'{"status":"END","id":"x"}', b'{"status":"END","id":"7:"}'])
def test_what_is_no_marker_is_a_record_error(value):
    with pytest.raises(RecordError):
        parse_end(value)
