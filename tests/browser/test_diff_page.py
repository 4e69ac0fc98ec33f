"""The page of `gateway diff` in a real browser: at both widths, in both lights, with what a reviewer looks for."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from gateway.authoring.diff import diff, pairs
from gateway.authoring.diff_budget import parse_budget
from gateway.authoring.diff_edits import edits
from gateway.authoring.diff_page import page
from gateway.authoring.diff_report import report_of
from gateway.mapping.loader import load
from tests.browser.conftest import Look
from tests.unit.authoring.planted import MAPPINGS, plant, raw_records


def written(file: Path, new: Path, budget: str) -> Path:
    before, after = load(MAPPINGS), load(new)
    found = diff(pairs(raw_records(), before, after), before, after)
    report = report_of(
        found,
        old="main:mappings",
        new="working tree",
        records_of="tests/e2e/recording.jsonl.gz",
        edits=edits(MAPPINGS, new),
        budget=parse_budget(budget),
    )
    file.write_text(page(report))
    return file


def test_a_reviewer_sees_figures_edits_findings_and_opens_an_example(tmp_path: Path, look: Look) -> None:
    new = plant(
        tmp_path,
        "customer/customer.yaml",
        "  - rule: name-mended-by-clerk\n    event: CustomerNameCorrected\n    intent: correction\n",
        "  - rule: name-mended-by-clerk\n    event: CustomerNameChanged\n",
    )
    moved = "    each: {table: address, changed: [place], explains: [validFrom]}\n    when: dated\n"
    new = plant(tmp_path, "customer/customer.yaml", moved, moved.replace("dated", "dated and after.kind != 'billing'"))
    new = plant(tmp_path, "claim/claim.yaml", ", OT: other}", "}")
    seen = look(written(tmp_path / "diff.html", new, "gone=0,added=10"))
    expect(seen.get_by_text("budget exceeded")).to_be_visible()
    expect(seen.get_by_role("heading", name="rule address-moved")).to_be_visible()
    expect(seen.get_by_role("heading", name="Dead letters")).to_be_visible()
    finding = seen.locator("section.finding", has_text="CustomerNameCorrected v1 (correction) → CustomerNameChanged v1")
    if not finding.locator("details[open]").count():
        finding.locator("summary").first.click()
    expect(finding.get_by_role("cell", name="<event>").first).to_be_visible()
    expect(finding.get_by_text("crm.cust", exact=True).first).to_be_visible()


def test_where_nothing_differs_the_page_says_so(tmp_path: Path, look: Look) -> None:
    seen = look(written(tmp_path / "diff-same.html", MAPPINGS, "changed=0"))
    assert "No difference" in seen.inner_text("header")
    assert seen.locator("section.finding").count() == 0
