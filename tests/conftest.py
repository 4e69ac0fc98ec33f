"""What all tests share: the native stack, started on first use, and a prefix that keeps tests apart on it."""

import os
import secrets
import signal
from collections.abc import Iterator

import pytest

from gateway.stack import Stack


def pytest_configure() -> None:
    """Whoever runs tests in the background ignores Ctrl-C, and so would every process that they interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For `-n 2 --dist loadgroup`: tests on the shared stack run one after another, beside them those on the demo.

    The longest come first; the rest, which fills the gaps, stays together by file, for the sake of what a file shares.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: ("stack", "demo").index(group) if (group := _group(item)) in ("stack", "demo") else 2)


def _group(item: pytest.Item) -> str:
    for mark in item.iter_markers("xdist_group"):
        return str(mark.args[0])
    fixtures = getattr(item, "fixturenames", ())
    return "stack" if "stack" in fixtures else "demo" if "demo_run" in fixtures else item.path.stem


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The native stack, all services ready; one for the whole run, gone at its end however that comes.

    GATEWAY_TEST_STACK names the state folder of a stack to use instead, which is then left running.
    """
    if state := os.environ.get("GATEWAY_TEST_STACK"):
        lent = Stack(state)
        lent.up()
        yield lent
        return
    own = Stack(tmp_path_factory.mktemp("stack"))
    own.up(detached=False)
    yield own
    own.down(wipe=True)


@pytest.fixture
def prefix() -> str:
    """A prefix for topics, groups and transactional ids that no other test has, such as `t3f9a1c.`."""
    return f"t{secrets.token_hex(3)}."
