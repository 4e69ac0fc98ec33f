"""An installation of its own for each fault test."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from gateway.stack import Stack

from .installation import Installation


@pytest.fixture
def seed() -> int:
    """Where strikes fall; GATEWAY_FAULT_SEED repeats a run."""
    return int(os.environ.get("GATEWAY_FAULT_SEED", random.randrange(1_000_000)))


@pytest.fixture
def installation(stack: Stack, prefix: str) -> Iterator[Installation]:
    """Topics and contracts under a prefix of its own; what it started is stopped."""
    found = Installation(stack.endpoints.bootstrap, stack.endpoints.registry_url, prefix)
    found.create()
    found.push()
    yield found
    found.close()
