"""Mappings are found by the topic they read and by their name, and never another in their place."""

from dataclasses import replace

from typer.testing import CliRunner

from gateway.authoring.offline import mapping_of_topic
from gateway.cli.test import app
from tests.property.small_mapping import small_mapping


def test_of_two_topics_that_fit_the_longer_name_is_meant() -> None:
    short = replace(small_mapping(), name="short", topics=("customer.raw",))
    whole = replace(small_mapping(), name="whole", topics=("vip-customer.raw",))
    for mappings in ([short, whole], [whole, short]):
        assert mapping_of_topic("it1.vip-customer.raw", mappings) is whole
        assert mapping_of_topic("it1.customer.raw", mappings) is short
        assert mapping_of_topic("it1.claim.raw", mappings) is None


def test_a_name_that_no_mapping_has_is_refused_though_another_is_known() -> None:
    result = CliRunner().invoke(app, ["customer", "custmer", "--mappings", "mappings"])
    assert result.exit_code != 0
    assert "no mapping is named custmer" in result.output


def test_a_word_that_no_cases_name_contains_is_refused() -> None:
    result = CliRunner().invoke(app, ["--mappings", "mappings", "-k", "no such case"])
    assert result.exit_code != 0
    assert "no case's name contains" in result.output
