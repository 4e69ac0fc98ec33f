"""What a rollout would change, every reason to refuse it, and what is printed of plans, outcomes and standings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.bridge.commands import Ack, Command, Kind, Result
from gateway.bridge.history import History
from gateway.cli.rollout_report import (
    outcome_as_json,
    plan_as_json,
    show_outcome,
    show_plan,
    show_status,
    status_as_json,
)
from gateway.model.errors import ConfigError
from gateway.model.unit import Taken
from gateway.pipeline.progress import Progress
from gateway.ports import Partition
from gateway.services.rollout import Outcome, Standing
from gateway.services.rollout_plan import Judge, compare
from gateway.services.rule_versions import RuleVersion, version_of_folder

from .control_world import PLACES
from .memory_world import COMPILED, MAPPINGS
from .rollout_world import changed, full

OLD = version_of_folder(MAPPINGS, COMPILED, full)
DIGEST = OLD.digests[PLACES[0].topic]


def stored(version: RuleVersion) -> Command:
    return Command(version.name, Kind.RULES, "w", "why", version=version.name, digests=dict(version.digests))


def standing(*commands: Command, digest: str = DIGEST, orders: tuple[tuple[str, str], ...] = ()) -> Standing:
    history = History()
    for offset, command in enumerate((stored(OLD), *commands)):
        history.add(offset, command)
    progress = Progress(3, hi=Taken(1, 900, 910, 7), digest=digest, barriers=orders)
    return Standing(history, dict.fromkeys(PLACES[:2], (5, progress)) | {PLACES[2]: None})


def judge(refusal: str = "") -> Judge:
    def check(_: object) -> None:
        if refusal:
            raise ConfigError(refusal)

    return Judge(full, check, check)


def test_a_plan_names_what_changes_and_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = changed(tmp_path / "new", 2)
    plan = compare(judge().candidate(folder), standing())
    assert (plan.now, plan.refused, list(plan.changes)) == (OLD.name, (), [PLACES[0].topic])
    assert json.loads(json.dumps(plan_as_json(plan)))["changes"][PLACES[0].topic]["now"] == DIGEST
    show_plan(plan)
    assert f"{DIGEST} -> " in capsys.readouterr().out
    same = compare(judge().candidate(MAPPINGS), standing())
    assert same.changes == {}
    show_plan(same)
    assert "nothing would change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("event: ThingChanged", "event: ThingMoved", "there is no contract"),
        (
            "  - noise: notes\n",
            "  - {noise: first, because: none, each: {table: part, changed: [note]}}\n  - noise: notes\n",
            "GW201",
        ),
    ],
)
def test_rules_that_do_not_load_or_have_lint_errors_are_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    folder = changed(tmp_path / "new", 2)
    file = folder / "thing" / "thing.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    assert told in "\n".join(compare(judge().candidate(folder), standing()).refused)


def test_contracts_other_topics_and_unknown_rules_in_force_are_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = changed(tmp_path / "new", 2)
    assert "not registered" in compare(judge("x is not registered").candidate(folder), standing()).refused[0]
    file = folder / "thing" / "thing.yaml"
    file.write_text(file.read_text().replace("thing.raw", "things.raw"))
    plan = compare(judge().candidate(folder), standing())
    assert "raw topics are not the same" in plan.refused[0]
    show_plan(plan)
    assert "refused: the raw topics" in capsys.readouterr().out
    assert "not known" in compare(judge().candidate(MAPPINGS), standing(digest="another")).refused[0]


def test_a_way_back_must_be_stored_and_fit() -> None:
    prepare = Command("p", Kind.PREPARE, "me", "why", ("all",), cut=(1, 950), version="new", before=OLD.name)
    commit = Command("c", Kind.COMMIT, "me", "why", ("all",), barrier="p")
    judge().check_way_back(standing())
    judge().check_way_back(standing(prepare, commit))
    with pytest.raises(ConfigError, match="away"):
        judge("away").check_way_back(standing(prepare, commit))
    lost = Command("p", Kind.PREPARE, "me", "why", ("all",), cut=(1, 950), version="new", before="lost")
    with pytest.raises(ConfigError, match="not in the control log"):
        judge().check_way_back(standing(lost, commit))


def test_the_status_shows_rollouts_and_where_each_partition_stands(capsys: pytest.CaptureFixture[str]) -> None:
    prepare = Command("p", Kind.PREPARE, "me", "why", ("all",), cut=(1, 950), version="new", before=OLD.name)
    commit = Command("c", Kind.COMMIT, "me", "why", ("all",), barrier="p")
    late = Command("d", Kind.CANCEL, "w", "why", ("all",), barrier="p")
    found = standing(prepare, commit, late, orders=(("p", "rules/c/1/950/new"), ("z", "paused")))
    told = status_as_json(found)
    assert (told["in_force"], told["rollouts"][0]["decision"]) == ("new", "commit")
    assert told["partitions"][0]["to_pass"] == [{"barrier": "p", "cut": [1, 950], "version": "new", "committed": True}]
    show_status(found)
    out = capsys.readouterr().out
    assert "to pass 1.950" in out
    assert "paused by z" in out
    assert "not begun" in out


def test_an_outcome_names_who_was_late_and_who_did_not_answer(capsys: pytest.CaptureFixture[str]) -> None:
    answers = {Partition("raw", 0): Ack(Result.LATE, 7, (1, 9), "settled up to 1.9")}
    outcome = Outcome("p", "new", "old", (1, 5), Kind.CANCEL, 2, answers, (Partition("raw", 1),))
    assert outcome_as_json(outcome)["no_answer"] == [{"topic": "raw", "partition": 1}]
    show_outcome(outcome)
    out = capsys.readouterr().out
    assert "late at 7  settled up to 1.9" in out
    assert "raw[1]  no answer" in out
