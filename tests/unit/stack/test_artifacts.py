import io
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from gateway.stack import StackError, artifacts
from gateway.stack.artifacts import Store
from gateway.stack.pins import JARS, Pin, pins, versions

GOOD = b"a jar"


class Shelf:
    """A repository in memory that hands out the given contents one after another."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = list(contents)
        self.fetched = 0

    def __call__(self, pin: Pin, repository: Path) -> Path:
        path = repository / f"{pin.artifact}.{pin.packaging}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.contents[min(self.fetched, len(self.contents) - 1)])
            self.fetched += 1
        return path


def pin(content: bytes = GOOD) -> Pin:
    return Pin("org.example", "part", "1.0", sha256(content).hexdigest())


def test_a_file_with_the_listed_checksum_is_handed_out(tmp_path: Path):
    assert Store(tmp_path, Shelf(GOOD)).file(pin()).read_bytes() == GOOD


def test_a_damaged_file_in_the_cache_is_fetched_once_more(tmp_path: Path):
    shelf = Shelf(GOOD[:2], GOOD)
    assert Store(tmp_path, shelf).file(pin()).read_bytes() == GOOD
    assert shelf.fetched == 2


def test_a_wrong_checksum_is_refused_with_coordinate_both_sums_and_remedy(tmp_path: Path):
    shelf = Shelf(b"another jar")
    with pytest.raises(StackError) as error:
        Store(tmp_path, shelf).file(pin())
    text = str(error.value)
    assert "org.example:part:1.0" in text
    assert pin().sha256 in text
    assert sha256(b"another jar").hexdigest() in text
    assert "do not use it" in text
    assert not (tmp_path / "maven" / "part.jar").exists()


def test_an_archive_is_unpacked_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("plugin/connector.jar")
        member.size = len(GOOD)
        tar.addfile(member, io.BytesIO(GOOD))
    archive = buffer.getvalue()
    listed = Pin("org.example", "plugin", "1.0", sha256(archive).hexdigest(), "plugin", "tar.gz")
    monkeypatch.setattr(artifacts, "pins", lambda part: (listed,))
    shelf = Shelf(archive)
    folder = Store(tmp_path, shelf).unpacked("debezium")
    assert (folder / "plugin" / "connector.jar").read_bytes() == GOOD
    assert Store(tmp_path, shelf).unpacked("debezium") == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_coordinate_reads_and_writes_the_same():
    for coordinate in ("org.example:part:1.0", "org.example:part:1.0:plugin:tar.gz"):
        assert Pin.parse(coordinate, "0").coordinate == coordinate


def test_the_list_pins_every_part_in_the_versions_it_names():
    assert set(versions()) == {"kafka", "debezium", "apicurio"}
    for part, version in versions().items():
        assert any(one.version == version for one in pins(part))
        assert all(len(one.sha256) == 64 for one in pins(part))


def test_the_broker_and_connect_get_clients_of_their_own_version():
    """jgo's resolver picks kafka-clients 3.9.1 for Kafka 4.4.0; the list must not follow it."""
    kafka = [one for one in pins("kafka") if one.group == "org.apache.kafka"]
    assert {one.version for one in kafka} == {versions()["kafka"]}
    assert len({(one.group, one.artifact) for one in pins("kafka")}) == len(pins("kafka"))


def test_the_list_names_no_host():
    text = JARS.read_text()
    assert "://" not in text
    assert isinstance(yaml.safe_load(text), dict)
