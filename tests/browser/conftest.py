"""A real browser for tests of pages: found, never fetched; and one look at a page in every width and light."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WIDTHS = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}

Look = Callable[[Path], Page]


def chromium() -> str:
    """The browser's path; the test fails, saying what to do, where there is none."""
    named = os.environ.get("GATEWAY_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None or not Path(found).exists():
        pytest.fail(
            f"no browser: {named or 'none of ' + ', '.join(_NAMES) + ' is on PATH'}; `apt-get install chromium`, "
            "or name one in GATEWAY_CHROMIUM",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for the whole run."""
    path = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, headless=True, args=list(_ARGS))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page at desktop width, in a context of its own."""
    context = browser.new_context(viewport=_WIDTHS["desktop"])
    yield context.new_page()
    context.close()


@pytest.fixture
def look(page: Page) -> Look:
    """Looks at a file at desktop and phone width, light and dark, and fails where the page is not in order.

    In order: the body never scrolls sideways, the console has no errors, no request fails or leaves the file system.
    GATEWAY_SHOTS names a folder for screenshots. Gives the page back, at desktop width and light.
    """
    faults: list[str] = []
    _watch(page, faults)

    def at(file: Path) -> Page:
        for width, size in reversed(_WIDTHS.items()):
            for light in ("dark", "light"):
                page.set_viewport_size(size)  # type: ignore[arg-type]
                page.emulate_media(color_scheme=light)  # type: ignore[arg-type]
                page.goto(file.resolve().as_uri())
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if wide > 0:
                    faults.append(f"{wide} px wider than the window; {page.evaluate(_WIDEST)}")
                _shoot(page, f"{file.stem}-{width}-{light}")
                assert not faults, f"{file.name}, {width}, {light}: {faults}"
        return page

    return at


_WIDEST = """[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1
  && !e.closest('.scroll, pre')).map(e => e.outerHTML.slice(0, 120))[0] || ''"""


def _watch(page: Page, faults: list[str]) -> None:
    def console(said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            faults.append(f"console: {said.text}")

    def request(asked: Request) -> None:
        if not asked.url.startswith(("file:", "data:")):
            faults.append(f"asked outside: {asked.url}")

    def response(got: Response) -> None:
        if got.status >= 400:
            faults.append(f"{got.status}: {got.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("request", request)
    page.on("response", response)
    page.on("requestfailed", lambda asked: faults.append(f"failed: {asked.url}"))


def _shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("GATEWAY_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
