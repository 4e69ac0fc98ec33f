"""A planted edit of the shipped mappings is reported exactly: what is gone, changed, added, dead, and by which rule."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from gateway.authoring.diff import by_partition, diff, pairs
from gateway.authoring.diff_budget import parse_budget, spend
from gateway.authoring.diff_edits import edits
from gateway.authoring.diff_findings import Diff, EventCause, Said
from gateway.authoring.diff_report import Report, report_of
from gateway.authoring.diff_text import text as text_of
from gateway.authoring.offline import Replayed, assemble, replay
from gateway.mapping.loader import load
from tests.unit.authoring.planted import MAPPINGS, old_events, old_replay, plant, raw_records

MOVED = """    each: {table: address, changed: [place], explains: [validFrom]}
    when: dated
"""


def compared(new: Path, old: Path = MAPPINGS, parts: int = 1) -> Diff:
    before, after = load(old), load(new)
    found = Diff()
    for share in by_partition(pairs(raw_records(), before, after), parts):
        found.add(diff(share, before, after))
    return found


def replayed(folder: Path) -> Replayed:
    mappings = load(folder)
    return replay(assemble(raw_records(), mappings), mappings)


def _payloads(replayed: Replayed) -> dict[object, object]:
    """Payload and intent of each event by its id."""
    return {dict(one.headers)["ce_id"]: (one.event.intent, one.event.data) for one in replayed.events}


def reported(new: Path) -> Report:
    return report_of(compared(new), old="mappings", new="edited", records_of="recording", edits=edits(MAPPINGS, new))


def test_the_same_mappings_say_the_same() -> None:
    report = reported(MAPPINGS)
    assert report.same
    assert report.edits == ()
    assert report.summary["events_old"] == report.summary["events_new"] == len(old_replay().events)
    assert report.summary["records"] == old_replay().counters.consumed


def test_a_narrower_condition_loses_exactly_its_events_and_leaves_their_changes_unexplained(tmp_path: Path) -> None:
    kinds = [str(each["kind"]) for each in old_events("address-moved")]
    kind = max(sorted(set(kinds)), key=kinds.count)
    new = plant(tmp_path, "customer/customer.yaml", MOVED, MOVED.replace("dated", f"dated and after.kind != '{kind}'"))
    report = reported(new)
    before, after = _payloads(old_replay()), _payloads(replayed(new))
    gone, changed = len(before.keys() - after.keys()), sum(before[one] != after[one] for one in before.keys() & after)
    assert gone + changed == kinds.count(kind) > 0
    assert (report.summary["gone"], report.summary["changed"], report.summary["added"]) == (gone, changed, 0)
    causes = {cause.kind: (cause, finding) for cause, finding in report.events}
    said = Said("CustomerAddressChanged", 2, "fact")
    assert causes["gone"][0] == EventCause("gone", "Customer", said, None, "customer/address-moved", "unexplained")
    assert causes["gone"][1].count == gone
    assert {cause.old_rule for cause, _ in report.events} == {"customer/address-moved"}
    ((unexplained, found),) = report.unexplained
    assert (unexplained.kind, unexplained.table) == ("added", "crm.cust_addr")
    assert unexplained.old_rule == "customer/address-moved"
    assert found.fields["validFrom"] == found.count == kinds.count(kind)
    assert [(edit.kind, edit.what, edit.keys) for edit in report.edits] == [("edited", "rule address-moved", ("when",))]


def test_an_edited_payload_changes_exactly_the_events_of_its_rule_in_that_field(tmp_path: Path) -> None:
    told = "    data: {$from: after, $take: [customerId, purpose, decision, decidedOn, channel]}\n\n  - rule: shipping"
    without = told.replace(", channel]}", "], channel: null}")
    new = plant(tmp_path, "customer/customer.yaml", told, without)
    report = reported(new)
    changed = [each for each in old_events("consent-updated") if each["channel"] is not None]
    assert report.summary["changed"] == len(changed) > 0
    assert (report.summary["gone"], report.summary["added"]) == (0, 0)
    ((cause, finding),) = report.events
    assert (cause.old_rule, cause.new_rule) == ("customer/consent-updated", "customer/consent-updated")
    assert finding.fields == {"channel": len(changed)}
    example = finding.examples[0]
    assert [(one.path, one.new) for one in example.differences] == [("channel", None)]
    assert example.differences[0].old in {each["channel"] for each in changed}


def test_another_event_for_the_same_row_is_a_change_of_its_name(tmp_path: Path) -> None:
    rule = "  - rule: name-mended-by-clerk\n    event: CustomerNameCorrected\n    intent: correction\n"
    other = "  - rule: name-mended-by-clerk\n    event: CustomerNameChanged\n"
    report = reported(plant(tmp_path, "customer/customer.yaml", rule, other))
    expected = len(list(old_events("name-mended-by-clerk")))
    assert report.summary["changed"] == expected > 0
    ((cause, finding),) = report.events
    assert cause.old == Said("CustomerNameCorrected", 1, "correction")
    assert cause.new == Said("CustomerNameChanged", 1, "fact")
    assert finding.fields["<event>"] == finding.fields["<intent>"] == expected


def test_noise_that_becomes_an_event_and_a_fact_that_becomes_noise_name_both_rules(tmp_path: Path) -> None:
    text = (MAPPINGS / "customer" / "customer.yaml").read_text()
    start = text.index("  - rule: deactivated\n")
    rule = text[start : text.index("  - rule: reactivated\n")]
    noise = """  - noise: switched-off
    because: tried out
    each: {table: customer, where: {deleted: {to: true}}, explains: [deletedOn]}

"""
    report = reported(plant(tmp_path, "customer/customer.yaml", rule, noise))
    expected = len(list(old_events("deactivated")))
    ((cause, finding),) = report.events
    assert (cause.kind, finding.count) == ("gone", expected)
    assert (cause.old_rule, cause.new_rule) == ("customer/deactivated", "noise customer/switched-off")
    assert {edit.what for edit in report.edits} == {"rule deactivated", "noise switched-off"}


def test_a_rule_moved_above_another_only_changes_the_order_of_their_events(tmp_path: Path) -> None:
    """The order of the rules is the order of a change set's events; ids and payloads stay."""
    text = (MAPPINGS / "policy" / "policy.yaml").read_text()
    holder, payer = text.index("  - rule: holder-followed\n"), text.index("  - rule: payer-followed\n")
    end = text.index("  - rule: party-followed\n")
    swapped = text[:holder] + text[payer:end] + text[holder:payer] + text[end:]
    report = reported(plant(tmp_path, "policy/policy.yaml", text, swapped))
    sets = [
        {(one.event.row.tx_id, one.key) for one in old_replay().events if one.event.rule == rule}
        for rule in ("holder-followed", "payer-followed")
    ]
    assert report.summary["order"] == len(sets[0] & sets[1]) > 0
    assert not any(report.summary[name] for name in ("gone", "changed", "added", "other_rule"))
    ((cause, finding),) = report.events
    assert (cause.kind, cause.old_rule, cause.new_rule) == ("order", "policy/holder-followed", "policy/payer-followed")
    (told,) = finding.examples[0].differences
    assert str(told.old).startswith("PolicyHolderChanged, InvoiceRecipientChanged")
    assert str(told.new).startswith("InvoiceRecipientChanged, PolicyHolderChanged")
    lines = "\n".join(text_of(report))
    assert "No event differs; 3 change sets with their events in another order." in lines
    assert "InvoiceRecipientChanged v1 (merge) comes before PolicyHolderChanged v1 (merge) now" in lines
    assert not spend(parse_budget("order=0"), report.summary, 1)[0].kept


def test_a_rule_that_is_only_renamed_is_the_same_event_by_another_rule(tmp_path: Path) -> None:
    report = reported(plant(tmp_path, "customer/customer.yaml", "- rule: merged\n", "- rule: joined\n"))
    assert (report.summary["changed"], report.summary["gone"], report.summary["added"]) == (0, 0, 0)
    ((cause, finding),) = report.events
    assert (cause.kind, cause.old_rule, cause.new_rule) == ("rule", "customer/merged", "customer/joined")
    assert finding.count == len(list(old_events("merged")))


def test_a_code_that_is_forgotten_makes_dead_letters_and_parks_what_stands_behind_them(tmp_path: Path) -> None:
    new = plant(tmp_path, "claim/claim.yaml", ", OT: other}", "}")
    report = reported(new)
    under_new = replayed(new)
    before = {letter.record.place for letter in old_replay().letters}
    expected = Counter(str(letter.letter_class) for letter in under_new.letters if letter.record.place not in before)
    added: Counter[str] = Counter()
    for letter, found in report.letters:
        assert letter.kind == "added"
        added[letter.new] += found.count
    assert added == expected
    assert added["decode"] == _records_with("OT") > 0
    assert report.summary["letters"] == sum(expected.values())
    assert {cause.kind for cause, _ in report.events} == {"gone"}
    assert report.summary["gone"] == len(old_replay().events) - len(under_new.events)
    reasons = {cause.new_rule.partition(":")[0] for cause, _ in report.events}
    assert reasons <= {"dead letter (decode)", "parked behind a dead letter"}


def _records_with(cause: str) -> int:
    """Records of change sets in which a claim with this cause is new, and of snapshot rows, counted in the raw JSON."""
    rows = [json.loads(one.value) for one in raw_records() if one.topic == "legacy.claim.raw" and one.value]
    sets = [_change_set(row) for row in rows]
    new = {_change_set(row) for row in rows if row["op"] in "cr" and (row["after"].get("cause") or "").strip() == cause}
    return sum(each in new for each in sets)


def _change_set(row: dict[str, Any]) -> tuple[object, ...]:
    """Transaction and claim; a snapshot row stands alone."""
    alone = json.dumps(row) if row["op"] == "r" else ""
    return row["source"]["txId"], (row["after"] or row["before"])["clm_id"], alone


def test_two_shares_of_the_partitions_add_up_to_the_whole(tmp_path: Path) -> None:
    narrower = MOVED.replace("dated", "dated and after.kind != 'residential'")
    new = plant(tmp_path, "customer/customer.yaml", MOVED, narrower)
    whole, halves = compared(new), compared(new, parts=2)
    assert halves.types == whole.types
    assert halves.outcomes == whole.outcomes
    assert {cause: found.count for cause, found in halves.events.items()} == {
        cause: found.count for cause, found in whole.events.items()
    }
    assert halves.touched == whole.touched


def test_a_topic_that_only_one_version_reads_is_gone_as_a_whole(tmp_path: Path) -> None:
    new = plant(tmp_path, "customer/customer.yaml", MOVED, MOVED)
    for file in (new / "claim").glob("*.yaml"):
        file.unlink()
    report = reported(new)
    claims = [one for one in old_replay().events if one.topic == "claim.events"]
    assert report.summary["gone"] == len(claims)
    assert {cause.new_rule for cause, _ in report.events} == {"no mapping reads it"}
    assert json.dumps([edit.file for edit in report.edits]) == '["claim/claim.yaml"]'
