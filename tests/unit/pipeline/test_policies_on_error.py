"""`on_error` (language.md 7): the rule's, else the mapping's; `halt` lets nothing that fails go by."""

import pytest

from gateway.authoring.forge import Forge, Position
from gateway.authoring.offline import assemble, replay
from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import PartitionHalted
from gateway.model.record import RawRecord
from tests.unit.pipeline.interpreted import CUSTOMER, UNSENT, customer, mapped, noise, told

RULE = told("r", "each: {table: customer, changed: [amount], where: {name: Ann}}")
REST = noise("rest", "each: {table: customer, changed: [amount, name]}")
PLACE = Position(749, 1000, 1010, 1_767_225_600_000)
FORGE = Forge("legacy.customer.raw")


def undecided() -> RawRecord:
    images = [customer(nm=UNSENT, amt=amount) for amount in ("1.00", "2.00")]
    return FORGE.change((0, 0), {"customerId": 7}, CUSTOMER, "u", *images, PLACE)


def truncated() -> RawRecord:
    return FORGE.change((0, 0), None, CUSTOMER, "t", None, None, PLACE)


def halts(mapping: CompiledMapping, record: RawRecord) -> bool:
    try:
        result = replay(assemble([record], [mapping]), [mapping])
    except PartitionHalted:
        return True
    assert len(result.letters) == 1
    return False


@pytest.mark.parametrize(
    ("mapping_says", "rule_says", "halted"),
    [
        ("", "", False),
        ("on_error: halt\n", "", True),
        ("on_error: halt\n", "    on_error: park\n", False),
        ("on_error: park\n", "    on_error: halt\n", True),
    ],
)
def test_the_rules_policy_comes_before_the_mappings(mapping_says: str, rule_says: str, halted: bool) -> None:
    rule = told("r", "each: {table: customer, changed: [amount], where: {name: Ann}}", more=rule_says)
    assert halts(mapped(rule + REST, more=mapping_says), undecided()) is halted


@pytest.mark.parametrize(("mapping_says", "halted"), [("", False), ("on_error: halt\n", True)])
def test_a_truncate_that_is_not_ignored_halts_where_failures_halt(mapping_says: str, halted: bool) -> None:
    assert halts(mapped(REST, more=mapping_says), truncated()) is halted


def test_a_failure_parks_its_aggregate_and_a_truncate_has_none_to_park() -> None:
    mapping = mapped(RULE + REST)
    assert list(replay(assemble([undecided()], [mapping]), [mapping]).parked) == [("legacy.customer.raw", 0, "7")]
    assert replay(assemble([truncated()], [mapping]), [mapping]).parked == {}
