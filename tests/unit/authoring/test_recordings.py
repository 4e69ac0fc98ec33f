"""Recordings: what is written is read, byte for byte; personal data goes where a mask is asked for."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.files import RecordingHeader, read_header, read_recording, write_recording
from gateway.authoring.forge import Forge, Position
from gateway.model.errors import ConfigError
from gateway.model.record import RawRecord
from gateway.pipeline.redact import Redactor
from gateway.ports import Batch, Partition, TopicShape
from gateway.services.recording import raw_records, spans
from tests.property.small_mapping import small_mapping

HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=9)), max_size=3).map(tuple)
RECORDS = st.builds(
    RawRecord,
    st.text(max_size=8),
    st.integers(0, 9),
    st.integers(0, 1 << 60),
    st.integers(0, 1 << 50),
    st.none() | st.binary(max_size=20),
    st.none() | st.binary(max_size=60) | st.text(max_size=60).map(str.encode),
    HEADERS,
)


@given(st.lists(RECORDS, max_size=8), st.sampled_from(["r.jsonl", "r.jsonl.gz"]))
def test_a_recording_gives_back_what_was_written(tmp_path_factory, records, name):
    path = tmp_path_factory.mktemp("recording") / name
    assert write_recording(path, records, RecordingHeader(masked=True, note="x")) == len(records)
    assert list(read_recording(path)) == records
    assert read_header(path) == RecordingHeader(masked=True, note="x")


def test_the_first_line_names_format_and_version(tmp_path: Path) -> None:
    write_recording(tmp_path / "r.jsonl", [])
    head = json.loads((tmp_path / "r.jsonl").read_text())
    assert (head["format"], head["version"]) == ("gateway-recording", 1)


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"format":"other","version":1}\n', b"\xff\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r").write_bytes(content)
    with pytest.raises(ConfigError, match="r:1"):
        list(read_recording(tmp_path / "r"))


def test_a_newer_version_is_refused_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "r").write_text('{"format":"gateway-recording","version":2}\n')
    with pytest.raises(ConfigError, match="version 2"):
        read_header(tmp_path / "r")


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    write_recording(path, [RawRecord("t", 0, 1, 2, None, None)])
    path.write_text(path.read_text() + '["t",0\n')
    with pytest.raises(ConfigError, match=r"r\.jsonl:3"):
        list(read_recording(path))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot open"):
        read_header(tmp_path / "nothing.gz")


def test_a_packed_recording_is_gzip(tmp_path: Path) -> None:
    write_recording(tmp_path / "r.gz", [])
    assert gzip.decompress((tmp_path / "r.gz").read_bytes()).startswith(b'{"format"')


def masked(before: dict | None, after: dict | None, table: str = "crm.cust") -> tuple[dict | None, dict | None] | None:
    record = Forge("t").change((0, 0), {"customerId": 7}, table, "u", before, after, Position(1, 1, 1, 1))
    changed = Redactor([small_mapping()], b"salt")(record)
    if changed is None:
        return None
    envelope = json.loads(changed.value or b"")
    return envelope["before"], envelope["after"]


def test_a_mask_replaces_personal_data_and_keeps_its_shape() -> None:
    before, after = masked({"cust_id": 7, "nm": "Ann-Eve 12  "}, {"cust_id": 7, "nm": "Ann-Eve 12  "})
    assert before == after
    assert before["cust_id"] == 7
    assert before["nm"] != "Ann-Eve 12  "
    assert [c.isalpha() for c in before["nm"]] == [c.isalpha() for c in "Ann-Eve 12  "]
    assert before["nm"].endswith("  ")


def test_a_mask_keeps_a_change_a_change_and_padding_padding() -> None:
    before, after = masked({"nm": "Ann"}, {"nm": "Anna"})
    assert before["nm"] != after["nm"]
    before, after = masked({"nm": "Ann"}, {"nm": "Ann  "})
    assert before["nm"] == after["nm"].rstrip()


@pytest.mark.parametrize("value", [None, "__debezium_unavailable_value"])
def test_a_mask_keeps_null_and_unsent(value) -> None:
    assert masked({"nm": value}, {"nm": value}) == ({"nm": value}, {"nm": value})


def test_what_cannot_be_masked_is_left_out() -> None:
    assert masked({}, {}, "crm.unknown") is None
    redactor = Redactor([small_mapping()], b"salt")
    assert redactor(RawRecord("t", 0, 0, 0, None, b"not json")) is None
    assert redactor(RawRecord("t", 0, 0, 0, None, None)) == RawRecord("t", 0, 0, 0, None, None)
    marker = RawRecord("t", 0, 0, 0, None, b'{"status":"END","id":"1:2"}')
    assert redactor(marker) == marker


class FakeLog:
    """A log reader over lists: gives two records at a time, and the end of a partition once."""

    def __init__(self, log: dict[Partition, list[RawRecord]]) -> None:
        self.log = log

    def assign(self, starts) -> None:
        self.at = dict(starts)

    def take(self, limit: int = 2000, wait: float = 0.0) -> Batch:
        for place, at in self.at.items():
            found = [record for record in self.log[place] if record.offset >= at][:2]
            if found:
                self.at[place] = found[-1].offset + 1
                return Batch(found)
        return Batch((), dict.fromkeys(self.at, 100))

    def close(self) -> None: ...


class FakeCluster:
    def shape(self, topic: str) -> TopicShape:
        return TopicShape("id", 2)

    def low_watermark(self, partition: Partition) -> int:
        return 1

    def high_watermark(self, partition: Partition) -> int:
        return 5 if partition.partition == 0 else 1


def test_a_capture_ends_at_the_watermarks_of_its_start() -> None:
    log = [RawRecord("t", 0, offset, 0, None, None) for offset in range(9)]
    within = spans(FakeCluster(), ["t"])  # type: ignore[arg-type]
    assert within == {Partition("t", 0): (1, 5), Partition("t", 1): (1, 1)}
    reader = FakeLog({Partition("t", 0): log})
    assert [record.offset for record in raw_records(reader, within)] == [1, 2, 3, 4]
    assert [record.offset for record in raw_records(reader, within, limit=2)] == [1, 2]
    odd = raw_records(reader, within, lambda record: record if record.offset % 2 else None)
    assert [record.offset for record in odd] == [1, 3]
