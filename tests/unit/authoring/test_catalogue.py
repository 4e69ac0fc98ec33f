"""The catalogue of the shipped mappings: nothing left out, every link leads somewhere, AsyncAPI by its own schema."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from gateway.authoring.catalogue.asyncapi import Server, asyncapi, asyncapi_yaml
from gateway.authoring.catalogue.build import catalogue_of
from gateway.authoring.catalogue.contracts import fields_of
from gateway.authoring.catalogue.nouns import Catalogue, Origin
from gateway.authoring.catalogue.site import site
from gateway.cli.docs import app
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError

ROOT = Path(__file__).parents[3]
MAPPINGS = ROOT / "mappings"
ASYNCAPI = ROOT / "tests/golden/asyncapi/asyncapi-3.0.0.json.gz"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogue_of(MAPPINGS)


@pytest.fixture(scope="module")
def pages(catalogue: Catalogue) -> Mapping[str, str]:
    return site(catalogue, "Insurer")


def test_every_event_of_the_mappings_is_in_it_with_all_that_is_known(catalogue: Catalogue) -> None:
    events = {name for mapping in load(MAPPINGS) for name in mapping.events}
    assert {event.name for event in catalogue.events} == events
    for event in catalogue.events:
        assert event.doc, event.name
        assert event.rules, event.name
        assert all(rule.lines for rule in event.rules), event.name
        assert event.examples, event.name
        assert event.versions[0].state == "published", event.name
        assert all(field.doc for field in event.fields), event.name


def test_a_rule_is_read_aloud(catalogue: Catalogue) -> None:
    rules = {rule.name: rule for rule in catalogue.event("CustomerAddressChanged").rules}
    assert rules["address-moved"].lines == (
        "For each row of `address` (`crm.cust_addr`) that is updated in `place` (street, postcode, city, country).",
        "Only when `dated`: `row.validFrom is changed`.",
        "It explains changes of `validFrom` as well.",
    )
    assert rules["address-replaced"].lines == (
        "For each row of `address` (`crm.cust_addr`) that is inserted.",
        "In the same transaction, of the same aggregate:",
        "– `closed`: exactly one row of `address` (`crm.cust_addr`) that is updated, where `validTo` changes "
        "from null, with the same `kind`.",
    )


def test_a_rules_source_stands_where_it_says(catalogue: Catalogue) -> None:
    for event in catalogue.events:
        for rule in event.rules:
            lines = (MAPPINGS / rule.file).read_text().splitlines()[rule.line - 1 :]
            assert [line.strip() for line in rule.source.splitlines()] == [
                line.strip() for line in lines[: len(rule.source.splitlines())]
            ]
            assert rule.source.startswith("- rule: " + rule.name)


def test_every_field_says_which_legacy_columns_fill_it(catalogue: Catalogue) -> None:
    silent = [
        f"{event.name}.{field.path}"
        for event in catalogue.events
        for field in event.fields
        if not event.origins.get(field.path)
        and not any(other.path.startswith((f"{field.path}.", f"{field.path}[")) for other in event.fields)
    ]
    assert silent == []
    moved = catalogue.event("CustomerAddressChanged").origins
    assert moved["address.street"] == (Origin("crm.cust_addr", "str"),)
    assert set(moved["validFrom"]) == {
        Origin("crm.cust_addr", "val_frm"),
        Origin("crm.cntct_log", "log_dt"),
        Origin("crm.src_ref", "eff_dt"),
        Origin("", "", "null"),
    }
    assert catalogue.event("CustomerRenumbered").origins["side"] == (
        Origin("", "", "“leaving”"),
        Origin("", "", "“arriving”"),
    )
    assert (
        Origin("", "", "transaction.time") in catalogue.event("CustomerContactPreferenceChanged").origins["changedAt"]
    )
    assert Origin("bil.inv", "inv_id") in catalogue.event("PaymentReceived").origins["settledInvoices"]


def test_every_legacy_column_says_which_events_it_reaches(catalogue: Catalogue) -> None:
    columns = {
        (table.physical, column.legacy): column
        for aggregate in catalogue.aggregates
        for table in aggregate.tables
        for column in table.columns
    }
    assert "CustomerAddressChanged" in columns["crm.cust_addr", "str"].events
    assert columns["crm.cust_addr", "lat"].noise == ("positions",)
    assert set(columns["crm.cust", "attrs"].names) == {"language", "segment", "branch"}
    assert columns["crm.cust", "upd_ts"].bookkeeping


def small(folder: Path) -> Path:
    """A folder with the claims and a file of consumers."""
    shutil.copytree(MAPPINGS / "claim", folder / "claim")
    shutil.copytree(MAPPINGS / "shared", folder / "shared")
    (folder / "consumers.yaml").write_text(
        "consumers:\n  fraud-desk:\n    owner: Risk\n    contact: risk@example.org\n    purpose: looks for patterns\n"
        "    events: {ClaimOpened: {fields: [claimId]}}\n"
    )
    return folder


def test_consumers_stand_at_the_events_they_read(tmp_path: Path) -> None:
    catalogue = catalogue_of(small(tmp_path))
    (consumer,) = catalogue.event("ClaimOpened").consumers
    assert (consumer.name, consumer.owner, consumer.fields) == ("fraud-desk", "Risk", ("claimId",))
    assert catalogue.event("ClaimState").consumers == ()
    pages = site(catalogue)
    assert "looks for patterns" in pages["events/ClaimOpened.html"]
    assert "fraud-desk" in pages["index.html"]


def test_an_older_version_beside_the_newest_is_deprecated_until_its_end(tmp_path: Path) -> None:
    folder = small(tmp_path)
    old = folder / "claim/events/ClaimOpened.v1.avsc"
    (folder / "claim/events/ClaimOpened.v2.avsc").write_text(old.read_text().replace(".v1", ".v2"))
    mapping = folder / "claim/claim.yaml"
    text = mapping.read_text()
    assert "ClaimOpened: {version: 1" in text
    mapping.write_text(
        text.replace("ClaimOpened: {version: 1", "ClaimOpened: {version: 2, also: {1: {sunset: 2027-06-30}}")
    )
    catalogue = catalogue_of(folder)
    versions = catalogue.event("ClaimOpened").versions
    assert [(one.label, one.state, one.sunset) for one in versions] == [
        ("v2.0", "published", ""),
        ("v1", "deprecated", "2027-06-30"),
    ]
    document: Any = asyncapi(catalogue, "Claims")
    assert list(validator().iter_errors(document)) == []
    messages = document["components"]["messages"]
    assert (messages["ClaimOpened.v1"]["x-deprecated"], messages["ClaimOpened.v1"]["x-sunset"]) == (True, "2027-06-30")
    assert "x-deprecated" not in messages["ClaimOpened.v2"]
    pages = site(catalogue)
    assert "2027-06-30" in pages["events/ClaimOpened.html"]
    assert "contracts/ClaimOpened.v1.avsc" in pages


def test_consumers_of_what_there_is_not_are_refused(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (folder / "consumers.yaml").write_text((folder / "consumers.yaml").read_text().replace("ClaimOpened", "ClaimOpend"))
    with pytest.raises(ConfigError, match="ClaimOpend"):
        catalogue_of(folder)


def test_what_is_noise_is_told_with_its_reason(catalogue: Catalogue) -> None:
    (customer,) = (each for each in catalogue.aggregates if each.name == "Customer")
    assert {rule.name for rule in customer.noise} >= {"positions", "scoring", "match-codes"}
    assert all(rule.because and not rule.event for rule in customer.noise)


def test_fields_of_nested_records_stand_behind_the_field_they_are_in() -> None:
    place = {"type": "record", "name": "Place", "fields": [{"name": "city", "type": "string", "doc": "Personal data."}]}
    schema = {
        "type": "record",
        "name": "Moved",
        "fields": [
            {"name": "old", "type": ["null", place], "default": None},
            {"name": "all", "type": {"type": "array", "items": "Place"}},
            {
                "name": "sum",
                "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
                "pii": True,
            },
        ],
    }
    told = [(field.path, field.type, field.depth, field.pii, field.default) for field in fields_of(schema)]
    assert told == [
        ("old", "Place or null", 0, False, "null"),
        ("old.city", "text", 1, True, ""),
        ("all", "list of Place", 0, False, ""),
        ("all[].city", "text", 1, True, ""),
        ("sum", "decimal(9,2)", 0, True, ""),
    ]


class Links(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name == "id":
                self.anchors.add(value)
            elif value and name in ("href", "src") and not value.startswith("data:"):
                self.targets.add(value)


def test_every_link_leads_to_a_page_and_a_place_in_it(pages: Mapping[str, str]) -> None:
    links = {path: Links(text) for path, text in pages.items() if path.endswith(".html")}
    broken = []
    for path, found in links.items():
        for target in found.targets:
            file, _, anchor = target.partition("#")
            parts: list[str] = []
            for part in (PurePosixPath(path).parent / file).parts if file else PurePosixPath(path).parts:
                parts = parts[:-1] if part == ".." else [*parts, part]
            there = "/".join(parts)
            if there not in pages or (anchor and anchor not in links[there].anchors):
                broken.append(f"{path}: {target}")
    assert broken == []


def validator() -> Any:
    with gzip.open(ASYNCAPI) as stream:
        return jsonschema.Draft7Validator(json.load(stream))


@pytest.mark.parametrize("server", [None, Server("broker:9092", "http://registry:8081", "test.")])
def test_the_asyncapi_document_is_valid_by_the_specifications_schema(
    catalogue: Catalogue, server: Server | None
) -> None:
    document = asyncapi(catalogue, "Insurer", server)
    assert [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(document)] == []
    assert yaml.safe_load(asyncapi_yaml(document)) == document


def test_the_asyncapi_schema_refuses_what_is_none(catalogue: Catalogue) -> None:
    document = asyncapi(catalogue, "Insurer")
    assert list(validator().iter_errors({**document, "channels": {"customer.events": {"adress": "x"}}}))


def test_every_reference_within_the_asyncapi_document_leads_somewhere(catalogue: Catalogue) -> None:
    document = asyncapi(catalogue, "Insurer")

    def references(tree: object) -> list[str]:
        if isinstance(tree, dict):
            own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
            return own + [one for value in tree.values() for one in references(value)]
        return [one for value in tree for one in references(value)] if isinstance(tree, list) else []

    found = references(document)
    assert len(found) > len(catalogue.events)
    for reference in found:
        here: Any = document
        for part in reference.removeprefix("#/").split("/"):
            here = here[part]


def test_the_command_writes_the_site_and_says_how_much(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["build", str(tmp_path / "site"), "--mappings", str(MAPPINGS), "-o", "json"])
    assert done.exit_code == 0, done.output
    written = [Path(one) for one in json.loads(done.stdout)["written"]]
    assert tmp_path / "site" / "index.html" in written
    assert all(path.is_file() for path in written)


def test_a_mapping_with_faults_is_refused_with_every_place(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.yaml").write_text("mapping: a\n")
    with pytest.raises(ConfigError, match=r"a/a\.yaml"):
        catalogue_of(tmp_path)
    done = CliRunner().invoke(app, ["build", str(tmp_path / "site"), "--mappings", str(tmp_path)])
    assert done.exit_code == 2
    assert "a.yaml:1:1" in done.stderr
