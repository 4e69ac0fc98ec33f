"""The page of coverage, in a real browser: at desktop and phone width, light and dark."""

from pathlib import Path

from gateway.adapters.files import read_recording
from gateway.authoring.coverage import cover
from gateway.authoring.coverage_page import page
from gateway.authoring.coverage_report import report_of
from gateway.authoring.offline import assemble, books_of
from gateway.mapping.branches import Branches
from gateway.mapping.loader import load

from .conftest import Look

ROOT = Path(__file__).parents[2]


def test_what_is_explained_what_nobody_took_and_what_never_fired_is_seen(tmp_path: Path, look: Look) -> None:
    branches = Branches()
    mappings = load(ROOT / "mappings", branches=branches)
    units = assemble(read_recording(ROOT / "tests/e2e/recording.jsonl.gz"), mappings)
    report = report_of(cover(units, mappings, books_of(mappings), branches=branches), "a small recording")
    file = tmp_path / "coverage.html"
    file.write_text(page(report), encoding="utf-8")
    shown = look(file)
    text = shown.inner_text("body")
    assert "records of a small recording" in text
    assert f"{report.fired.part} / {report.fired.whole}" in text
    for mapping in report.mappings:
        section = shown.locator(f"section#{mapping.name}")
        for summary in section.locator("summary").all():
            summary.click()
        assert section.locator("table").count() >= 2
        for rule in mapping.rules:
            assert rule.rule in section.inner_text()
    for branch in branches.found:
        place = f"{branch.owner.file}:{branch.mark.line}:{branch.mark.column}"
        assert shown.locator("td", has_text=place).count() == 1, "under its table, or beside its rule"
    assert f"{report.taken.part} / {report.taken.whole}" in text
    shown.click("nav a[href='#claim']")
    assert shown.locator("section#claim").bounding_box()["y"] < 200  # type: ignore[index]
    never = [rule for mapping in report.mappings for rule in mapping.rules if not rule.fired]
    assert shown.locator("td .badge:text-is('never')").count() == len(never)
