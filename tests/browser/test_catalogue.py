"""The catalogue in a browser: it looks right everywhere, its search finds, its links lead on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gateway.authoring.catalogue.build import catalogue_of
from gateway.authoring.catalogue.site import site
from gateway.authoring.editor import write

MAPPINGS = Path(__file__).parents[2] / "mappings"
Look = Callable[[Path], Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("catalogue")
    write(site(catalogue_of(MAPPINGS), "Insurer"), made)
    return made


@pytest.mark.parametrize(
    "name", ["index.html", "events/CustomerAddressChanged.html", "aggregates/Customer.html", "tables.html"]
)
def test_pages_are_in_order_at_every_width_and_light(name: str, folder: Path, look: Look) -> None:
    page = look(folder / name)
    expect(page.locator("h1")).to_have_count(1)


def test_a_search_finds_by_meaning_column_and_filter(folder: Path, page: Page) -> None:
    page.goto((folder / "index.html").as_uri())
    whole = page.locator(".event:visible").count()
    page.locator("#q").fill("crm.cust_addr moved")
    expect(page.locator("#count")).not_to_have_text(f"{whole} of {whole} events")
    names = page.locator(".event:visible .name").all_inner_texts()
    assert "CustomerAddressChanged" in names
    assert "InvoiceIssued" not in names
    expect(page.locator("#BillingAccount")).to_be_hidden()
    page.locator("#q").fill("")
    page.locator("#intent").select_option("undetermined")
    undetermined = page.locator(".event:visible").count()
    assert 0 < undetermined < whole
    page.reload()
    expect(page.locator(".event:visible")).to_have_count(undetermined)
    page.locator("#q").fill("no such word")
    expect(page.locator("#none")).to_be_visible()


def test_links_lead_from_the_index_to_an_event_its_rule_and_its_table(folder: Path, page: Page) -> None:
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("link", name="CustomerMerged", exact=True).click()
    expect(page.locator("h1")).to_have_text("CustomerMerged")
    page.locator("summary").first.click()
    expect(page.locator("pre", has_text="rule: merged").first).to_be_visible()
    page.get_by_role("link", name="crm.mrg_log").first.click()
    expect(page.locator("h1")).to_have_text("Legacy tables")
    page.get_by_role("link", name="All events").click()
    expect(page.locator("#q")).to_be_visible()
