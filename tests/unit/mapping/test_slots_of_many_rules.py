"""The slot check does not compare every rule with every other: those that ask for other values never meet."""

import pytest

from gateway.mapping import slots
from gateway.model.errors import ConfigError
from tests.unit.pipeline.interpreted import mapped

INSERT = "each: {table: customer, op: insert, explains: nothing}"


def rules(number: int, match: str, when: str = "") -> str:
    return "".join(
        f"  - rule: r{each}\n    event: Told\n{when.replace('#', str(each))}    {match.replace('#', str(each))}\n"
        "    data: {what: x}\n"
        for each in range(number)
    )


@pytest.mark.parametrize(
    ("match", "when"),
    [
        ("each: {table: customer, op: insert, where: {name: 'n#'}, explains: nothing}", ""),
        ("each: {table: customer, op: insert, where: {name: ['n#', 'm#'], status: active}, explains: nothing}", ""),
        ("each: {table: customer, where: {name: {from: a, to: 'n#'}}, explains: nothing}", ""),
        (INSERT, "    when: row.name == 'n#'\n"),
    ],
)
def test_rules_that_ask_for_other_values_do_not_meet(monkeypatch: pytest.MonkeyPatch, match: str, when: str) -> None:
    met: list[str] = []
    clash = slots._clash

    def counting(earlier: slots._Candidate, later: slots._Candidate) -> str:
        met.append(later.compiled.rule.name)
        return clash(earlier, later)

    monkeypatch.setattr(slots, "_clash", counting)
    assert len(mapped(rules(300, match, when)).rules) == 300
    assert met == []


def test_opposite_tests_of_any_form_keep_rules_apart() -> None:
    word = "(row.name | length) == 3"
    mapped(
        rules(1, INSERT, f"    when: {word} and row.amount == 1\n")
        + rules(1, INSERT, f"    when: not ({word})\n").replace("r0", "other")
    )


def test_the_first_rule_in_the_file_that_clashes_is_named_once() -> None:
    with pytest.raises(ConfigError) as caught:
        mapped(rules(3, INSERT))
    assert ["`r0` and this rule" in fault.what for fault in caught.value.faults] == [True, True]


def test_a_once_rule_meets_every_other_and_a_rule_without_tests_too() -> None:
    each = rules(2, "each: {table: customer, op: insert, where: {name: 'n#'}}")
    for other in ("once: {a: {table: address, op: insert}}", INSERT):
        for text in (each + rules(1, other).replace("r0", "z"), rules(1, other).replace("r0", "z") + each):
            with pytest.raises(ConfigError, match="can both publish"):
                mapped(text)
