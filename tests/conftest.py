"""What all tests share: the native stack, started on first use, and a prefix that keeps tests apart on it."""

import os
import secrets
from collections.abc import Iterator

import pytest

from gateway.stack import Stack


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
