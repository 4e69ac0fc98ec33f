"""`gateway explain --why-not`: the rule and the test that kept an event unsaid, for every mutant."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.files import read_recording
from gateway.authoring.near_keys import near_keys
from gateway.authoring.offline import books_of
from gateway.authoring.settled import Stretch, gather
from gateway.authoring.told import CheckTold, RuleTold
from gateway.authoring.why_not import Silence, why_not
from gateway.cli.main import main
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.change import ChangeEvent, ChangeSet
from gateway.model.event import Interpretation
from gateway.model.unit import Unit
from gateway.pipeline.interpret import interpret
from gateway.pipeline.plan import MappingPlan
from gateway.pipeline.split import change_set, groups
from tests.e2e.mutants import Mutant, mutants

ROOT = Path(__file__).parents[3]
RECORDING = ROOT / "tests" / "e2e" / "recording.jsonl.gz"
MAPPINGS = {mapping.name: mapping for mapping in load(ROOT / "mappings")}


def said(read: Interpretation) -> Counter[str]:
    return Counter() if read.failure is not None else Counter(event.name for event in read.events)


def change_sets(stretch: Stretch, mapping: CompiledMapping) -> Iterator[ChangeSet]:
    for unit in stretch.units:
        for group in groups(unit):
            if not group.broken and not group.snapshot:
                yield change_set(group, unit, mapping.name, ())


def all_lost(mutant: Mutant, facts: list[tuple[ChangeSet, Counter[str]]]) -> Iterator[tuple[ChangeSet, str]]:
    plan = MappingPlan(mutant.mapping)
    for changes, events in facts:
        for event in sorted(events - said(interpret(changes, plan))):
            yield changes, event


class Question:
    """A stretch of records, its units by aggregate, and what --why-not says of a change set under a mutant."""

    def __init__(self, stretch: Stretch) -> None:
        self.stretch = stretch
        self.units: dict[str, list[Unit]] = defaultdict(list)
        for unit in stretch.units:
            for aggregate in {entry.aggregate_id for entry in unit.entries if isinstance(entry, ChangeEvent)}:
                self.units[aggregate].append(unit)

    def asked(self, mutant: Mutant, changes: ChangeSet, event: str) -> Silence:
        """Held against the mapping as it was."""
        units = self.units[changes.aggregate_id]
        mutated = Stretch(units, [mutant.mapping], books_of([mutant.mapping]))
        against = Stretch(units, self.stretch.mappings, self.stretch.books)
        first = changes.changes[0].record
        for answer in why_not(mutated, event, first.topic, changes.aggregate_id, against=against):
            if isinstance(answer, Silence) and first.place in answer.records:
                return answer
        raise AssertionError(f"{mutant.name}: nothing is said of {first.place}")


def named(answer: Silence) -> dict[str, list[RuleTold]]:
    """The rules that an answer names, with what it tells of each."""
    found: dict[str, list[RuleTold]] = {}
    misses = [miss.rule for miss in answer.misses]
    first = [rule for miss in answer.misses for rule in miss.first]
    for rule in [*misses, *first, *answer.instead, *answer.then]:
        found.setdefault(rule.rule, []).append(rule)
    return found


def texts(checks: list[CheckTold]) -> Iterator[str]:
    for check in checks:
        yield check.text
        yield from texts(check.parts)


@pytest.mark.parametrize("name", sorted(MAPPINGS))
def test_for_each_fact_lost_to_a_mutant_the_mutated_rule_and_condition_are_named(name: str) -> None:
    mapping = MAPPINGS[name]
    stretch = gather(read_recording(RECORDING), [mapping], books_of([mapping]))
    question = Question(stretch)
    plan = MappingPlan(mapping)
    facts = [(changes, said(interpret(changes, plan))) for changes in change_sets(stretch, mapping)]
    losing = 0
    for mutant in mutants(mapping):
        for changes, event in () if mutant.snapshot else all_lost(mutant, facts):
            losing += 1
            check_named(mutant, question.asked(mutant, changes, event))
    print(f"{losing} facts lost")
    assert losing > 0


def check_named(mutant: Mutant, answer: Silence) -> None:
    rule, _, what = mutant.name.partition("/")[2].partition(": ")
    rules = named(answer)
    failures = [failure.rule for failure in (answer.failure, answer.behind) if failure is not None]
    assert rule in rules or rule in failures, mutant.name
    if what == "rule removed":
        assert rule in answer.lost or rule not in {one.rule for one in answer.then}, mutant.name
    elif " where " in f" {what}" and rule in rules:
        column = what.partition("where ")[2].split()[0]
        tests = [text for one in rules[rule] for text in texts(one.checks)]
        assert any(text.startswith(f"where {column}:") for text in tests), mutant.name
    elif what == "when negated" and rule in rules:
        assert any(text.startswith("when") for one in rules[rule] for text in texts(one.checks)), mutant.name


def test_near_misses_come_first_and_name_the_rule_that_was_first(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--recording", str(RECORDING), "--mappings", str(ROOT / "mappings"), "--key", "6"]
    with pytest.raises(SystemExit) as ended:
        main(["explain", "--why-not", "CustomerAddressChanged", *arguments, "-o", "json"])
    assert not ended.value.code
    answers = json.loads(capsys.readouterr().out)
    assert len(answers) == 2
    for answer in answers:
        distances = [miss["distance"] for miss in answer["misses"]]
        assert distances == sorted(distances)
    moved = next(miss for miss in answers[1]["misses"] if miss["rule"]["rule"] == "address-moved")
    assert [rule["rule"] for rule in moved["first"]] == ["domicile-moved"]
    assert moved["failed"][0]["why"].endswith("taken by domicile-moved")


def test_nothing_found_in_that_time_is_told_by_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--recording", str(RECORDING), "--mappings", str(ROOT / "mappings"), "--until", "2001-01-01"]
    with pytest.raises(SystemExit) as ended:
        main(["explain", "--why-not", "CustomerAddressChanged", "--key", "6", *arguments])
    assert ended.value.code == 1
    assert (
        "no change set of aggregate '6' in that time, though there are some before or after" in capsys.readouterr().out
    )


@pytest.mark.parametrize("question", [["--why-not", "CustomerAddressChanged"], []])
def test_a_key_that_is_not_there_is_told_with_those_that_are_near(
    question: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--recording", str(RECORDING), "--mappings", str(ROOT / "mappings"), "--mapping", "customer"]
    with pytest.raises(SystemExit) as ended:
        main(["explain", *question, "--key", " 06", *arguments])
    assert ended.value.code == 1
    assert "no change set of aggregate ' 06' in that time; did you mean '6'?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("W|137", ["W |137"]),
        ("w|0137", ["W |137"]),
        ("W |136", ["W |137", "W |1377"]),
        ("ZZZ", []),
    ],
)
def test_near_keys_are_those_of_other_padding_then_of_other_spelling(key: str, near: list[str]) -> None:
    assert near_keys(key, ["W |137", "N |102", "W |1377", "W |137"]) == near
