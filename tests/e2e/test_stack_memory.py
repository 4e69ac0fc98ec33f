"""The registry of the native stack remembers what was registered."""

from __future__ import annotations

import os

import httpx
import pytest

from gateway.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


def test_a_registered_schema_outlives_the_registry(stack: Stack, prefix: str) -> None:
    schemas = f"{stack.endpoints.registry_url}/subjects/{prefix}memory/versions"
    registered = httpx.post(schemas, json={"schema": '"string"'}).raise_for_status().json()["id"]
    stack.stop("registry")
    with pytest.raises(httpx.HTTPError):
        httpx.get(schemas)
    stack.start("registry", detached="GATEWAY_TEST_STACK" in os.environ)
    found = httpx.get(f"{schemas}/latest").raise_for_status().json()
    assert (found["id"], found["schema"]) == (registered, '"string"')
