"""Loading a folder: what is read, what is ignored, what holds across files, and what the digest covers."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.mapping.loader import Defaults, load, load_text
from gateway.model.errors import ConfigError

FAULTS = Path(__file__).parents[2] / "golden/mapping/faults"
GOOD = (FAULTS / "good.yaml").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    profile = tmp_path / "mappings" / "profile"
    shutil.copytree(FAULTS / "events", profile / "events")
    (profile / "customer.yaml").write_text(GOOD.replace("shared/codes.yaml", "../shared/codes.yaml"))
    shutil.copytree(FAULTS / "shared", tmp_path / "mappings" / "shared")
    return tmp_path / "mappings"


def faults(folder: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return [(fault.file, fault.line, fault.what) for fault in caught.value.faults]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def second(folder: Path, mapping: str = "other", table: str = "crm.other", topic: str = "legacy.other.raw") -> Path:
    path = folder / "profile" / "other.yaml"
    text = GOOD.replace("shared/codes.yaml", "../shared/codes.yaml").replace("mapping: customer", f"mapping: {mapping}")
    text = text.replace("crm.cust:", f"{table}:").replace("crm.addr:", f"{table}_addr:")
    path.write_text(text.replace("legacy.customer.raw", topic))
    return path


def test_a_folder_gives_its_mappings_in_the_order_of_their_files(folder: Path) -> None:
    second(folder)
    assert [mapping.name for mapping in load(folder)] == ["customer", "other"]
    assert [mapping.file for mapping in load(folder)] == ["profile/customer.yaml", "profile/other.yaml"]


def test_test_files_contracts_and_hidden_files_are_no_mappings(folder: Path) -> None:
    (folder / "profile" / "customer_test.yaml").write_text("cases: []")
    (folder / "profile" / ".draft.yaml").write_text("x")
    assert len(load(folder)) == 1


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    assert faults(tmp_path)[0][2] == "there is no mapping in this folder"
    assert faults(tmp_path / "nothing")[0][2] == "there is no mapping in this folder"


def test_the_faults_of_all_files_are_reported_together(folder: Path) -> None:
    edit(second(folder), "intent: correction", "intent: corection")
    edit(folder / "profile" / "customer.yaml", "    because: it is derived\n", "")
    edit(folder / "shared" / "codes.yaml", "codes:", "coeds: {}\ncodes:")
    edit(folder / "profile" / "events" / "AddressChanged.v2.avsc", "v2", "v3")
    assert faults(folder) == [
        ("shared/codes.yaml", 1, "a shared file has no key `coeds`"),
        ("profile/customer.yaml", 57, "a noise rule lacks `because`"),
        ("profile/events/AddressChanged.v2.avsc", 4, "the namespace `insurer.customer.v3` does not end in .v2"),
        ("profile/other.yaml", 43, "`corection` is not an intent"),
    ]


def test_a_table_a_topic_and_a_name_belong_to_one_mapping(folder: Path) -> None:
    second(folder, mapping="customer", topic="legacy.customer.raw")
    edit(folder / "profile" / "other.yaml", "crm.other_addr:", "crm.addr:")
    assert faults(folder) == [
        ("profile/other.yaml", 1, "the mapping `customer` belongs to profile/customer.yaml already"),
        ("profile/other.yaml", 2, "the raw topic `legacy.customer.raw` belongs to profile/customer.yaml already"),
        ("profile/other.yaml", 17, "the table `crm.addr` belongs to profile/customer.yaml already"),
    ]


def test_a_shared_file_outside_the_folder_is_refused(folder: Path) -> None:
    (folder.parent / "secret.yaml").write_text("codes: {}")
    edit(folder / "profile" / "customer.yaml", "../shared/codes.yaml", "../../secret.yaml")
    assert faults(folder)[0][2] == "there is no file `../../secret.yaml`"


def test_shared_conditions_and_codes_serve_every_mapping(folder: Path) -> None:
    edit(folder / "shared" / "codes.yaml", "codes:", "conditions:\n  batch: \"row.changedBy == 'B'\"\ncodes:")
    edit(folder / "profile" / "customer.yaml", "when: cleansing and", "when: (cleansing or batch) and")
    assert load(folder)[0].rules[1].when is not None


def test_a_name_in_two_shared_files_is_refused(folder: Path) -> None:
    (folder / "shared" / "more.yaml").write_text("codes: {address_kind: {A: b}}")
    edit(folder / "profile" / "customer.yaml", "[../shared/codes.yaml]", "[../shared/codes.yaml, ../shared/more.yaml]")
    assert faults(folder) == [("profile/customer.yaml", 5, "`address_kind` stands in two shared files")]


def test_policies_come_from_the_nearest_place(folder: Path) -> None:
    edit(folder / "profile" / "customer.yaml", "capability: profile", "capability: profile\nunexplained: park")
    edit(folder / "profile" / "customer.yaml", "    as: address\n", "    as: address\n    unexplained: report\n")
    mapping = load(folder)[0]
    assert mapping.unexplained == "park"
    assert {name: table.unexplained for name, table in mapping.tables.items()} == {
        "crm.cust": "park",
        "crm.addr": "report",
    }


def test_the_gateways_own_policies_serve_mappings_that_say_nothing(folder: Path) -> None:
    edit(folder / "profile" / "customer.yaml", "capability: profile", "capability: profile\nunexplained: report")
    mapping = load(folder, Defaults(unexplained="park", undeclared="ignore", on_error="halt"))[0]
    assert (mapping.unexplained, mapping.undeclared, mapping.on_error) == ("report", "ignore", "halt")
    assert {table.undeclared for table in mapping.tables.values()} == {"ignore"}


def test_a_logical_message_is_a_table_of_its_own(folder: Path) -> None:
    edit(folder / "profile" / "customer.yaml", "  crm.addr:", "  message:")
    assert "message" in load(folder)[0].tables


def digest(folder: Path) -> str:
    return load(folder)[0].digest


def test_the_digest_ignores_comments_layout_quotes_and_the_order_of_keys(folder: Path) -> None:
    before = digest(folder)
    path = folder / "profile" / "customer.yaml"
    edit(path, "capability: profile", "# a comment\ncapability:   'profile'")
    edit(
        path,
        "source: {topics: [legacy.customer.raw], unit: transaction}",
        "source: {unit: transaction, topics: [legacy.customer.raw]}",
    )
    (folder / "profile" / "customer_test.yaml").write_text("cases: []")
    assert digest(folder) == before
    assert len(before) == 16


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("profile/customer.yaml", "GEO", "GEE"),
        ("profile/customer.yaml", "{not: legal}", "{not: null}"),
        ("shared/codes.yaml", "residential, LEG", "residential, XXX: legal, LEG"),
        ("profile/events/AddressCorrected.v1.avsc", '"Why."', '"Why?"'),
    ],
)
def test_the_digest_covers_rules_codes_and_contracts(folder: Path, name: str, old: str, new: str) -> None:
    before = digest(folder)
    edit(folder / name, old, new)
    assert digest(folder) != before


def test_null_and_the_word_null_differ_in_the_digest(folder: Path) -> None:
    path = folder / "profile" / "customer.yaml"
    edit(path, "where: {kind: {not: legal}}", "where: {city: null}")
    before = digest(folder)
    edit(path, "{city: null}", "{city: 'null'}")
    assert digest(folder) != before


def test_a_contract_of_another_minor_version_in_history_is_not_read(folder: Path) -> None:
    history = folder / "profile" / "events" / "history"
    history.mkdir()
    (history / "AddressChanged.v2.avsc").write_text("not json")
    assert load(folder)


def test_text_loads_as_if_it_were_a_file_of_the_folder(folder: Path) -> None:
    text = (folder / "profile" / "customer.yaml").read_text()
    assert load_text(text, folder, "profile/customer.yaml") is not None
    assert load_text(text, folder, "profile/customer.yaml").digest == digest(folder)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"type": "record"}',
        '{"type": "record", "name": "AddressChanged", "namespace": "x.v2"}',
        '{"type": "record", "name": "AddressChanged", "namespace": "x.v2", "fields": 5}',
        '{"type": "record", "name": "AddressChanged", "namespace": "x.v2", "fields": [{}]}',
        '{"type": "record", "name": "AddressChanged", "namespace": "x.v2", "fields": [{"name": "f", "type": "nope"}]}',
        '{"type": "record", "name": "AddressChanged", "namespace": "x.v2", "fields": [{"name": "f", "type": {}}]}',
        '{"type": "record", "name": "AddressChanged", "namespace": 7, "fields": []}',
        '{"type": "record", "name": "AddressChanged", "namespace": "x.v2", "fields": [{"name": 7, "type": "int"}]}',
        '{"type": "record", "name": ["x"], "namespace": "x.v2", "fields": []}',
        "[" * 100_000,
        '{"type": "record", "name": "AddressChanged", "namespace": "x.v2", "fields": [{"name": "f", "type": '
        + '{"type": "array", "items": ' * 2_000
        + '"int"'
        + "}" * 2_000
        + "}]}",
        "1" * 5_000,
        "\x00",
        " " * 1_100_000,
    ],
)
def test_a_broken_contract_is_a_fault_and_never_a_crash(folder: Path, content: str) -> None:
    (folder / "profile" / "events" / "AddressChanged.v2.avsc").write_text(content)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert caught.value.faults[0].file == "profile/events/AddressChanged.v2.avsc"


def test_a_contract_in_latin_1_is_a_fault(folder: Path) -> None:
    (folder / "profile" / "events" / "AddressChanged.v2.avsc").write_bytes(b'{"doc": "\xe9"}')
    assert faults(folder)[0][0] == "profile/events/AddressChanged.v2.avsc"


def test_an_event_carries_the_contracts_own_json(folder: Path) -> None:
    event = load(folder)[0].events["AddressChanged"]
    assert event.schema == json.loads((folder / "profile" / "events" / "AddressChanged.v2.avsc").read_text())
    assert event.file == "profile/events/AddressChanged.v2.avsc"


def test_the_default_topic_is_the_aggregates_name_with_hyphens(folder: Path) -> None:
    edit(folder / "profile" / "customer.yaml", "type: Customer", "type: BillingAccount")
    assert load(folder)[0].events["AddressChanged"].topic == "billing-account.events"
