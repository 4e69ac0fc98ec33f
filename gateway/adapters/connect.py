"""Kafka Connect over its REST interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from gateway.adapters.retries import retry_context
from gateway.model.capture import ConnectorState
from gateway.model.errors import ConfigError, DependencyError
from gateway.model.preflight import ConnectWorkerFacts

__all__ = ["ConnectRest"]

_NOT_FOUND = 404
_REBALANCING = 409
_WRONG = 400
_FAILED = 500


class _Busy(Exception):  # noqa: N818 - a state, answered by asking again
    """Connect is rebalancing or starting; it answers soon."""


class ConnectRest:
    """The Connect cluster at ``url``. DependencyError: it is away or busy too long; ConfigError: it refuses."""

    def __init__(self, url: str, patience: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(base_url=self._url, timeout=30.0)
        self._patience = patience

    def config(self, name: str) -> Mapping[str, str] | None:
        """The configuration of connector ``name``; None if there is none."""
        found: dict[str, str] | None = self._ask("GET", f"/connectors/{name}/config")
        return found

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        """Create the connector or give it this configuration. ConfigError: Connect tells what is wrong with it."""
        self._ask("PUT", f"/connectors/{name}/config", dict(config))

    def state(self, name: str) -> ConnectorState | None:
        """How the connector and its task are; None if there is none. A killed worker's task still says RUNNING."""
        found = self._ask("GET", f"/connectors/{name}/status")
        if found is None:
            return None
        task = (found["tasks"] or [{"state": "UNASSIGNED"}])[0]
        trace = task.get("trace") or found["connector"].get("trace") or ""
        return ConnectorState(found["connector"]["state"], task["state"], trace)

    def restart(self, name: str) -> bool:
        """Restart connector and task; False if there is none."""
        return self._ask("POST", f"/connectors/{name}/restart?includeTasks=true") is not None

    def stop(self, name: str) -> None:
        """Stop the connector; its offsets may then be forgotten."""
        self._ask("PUT", f"/connectors/{name}/stop")

    def delete(self, name: str) -> bool:
        """Delete the connector; False if there was none. Its offsets stay."""
        return self._ask("DELETE", f"/connectors/{name}") is not None

    def offset(self, name: str) -> Mapping[str, object] | None:
        """The connector's committed source offset; None if there is none (yet)."""
        found = self._ask("GET", f"/connectors/{name}/offsets")
        offsets = (found or {}).get("offsets") or []
        return offsets[0]["offset"] if offsets else None

    def forget_offsets(self, name: str) -> None:
        """Forget the offsets of a stopped connector: its next start snapshots again."""
        self._ask("DELETE", f"/connectors/{name}/offsets")

    def worker(self) -> ConnectWorkerFacts:
        """Version of the worker that answers, and its connector plugins."""
        plugins = self._ask("GET", "/connector-plugins")
        return ConnectWorkerFacts(self._ask("GET", "/")["version"], {one["class"]: one["version"] for one in plugins})

    def validate(self, config: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
        """What worker and plugin would object to in a configuration, by option; empty if nothing.

        ConfigError: there is no such plugin. The plugin may look for the database: it can take some seconds.
        """
        plugin = config["connector.class"]
        found = self._ask("PUT", f"/connector-plugins/{plugin}/config/validate", dict(config))
        if found is None:
            raise ConfigError(f"Kafka Connect has no plugin {plugin}", where=self._url)
        values = [one["value"] for one in found["configs"]]
        return {one["name"]: tuple(one["errors"]) for one in values if one["errors"]}

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON ({} where there is none), None for 404."""
        try:
            for attempt in retry_context(
                on=_Busy, attempts=None, timeout=self._patience, wait_initial=0.2, wait_max=2.0
            ):
                with attempt:
                    return self._answer(self._client.request(method, path, json=body), f"{method} {path}")
        except _Busy as error:
            raise DependencyError(f"Kafka Connect is still busy: {error}", where=self._url) from error
        except httpx.HTTPError as error:
            raise DependencyError(f"Kafka Connect does not answer: {error!r}", where=self._url) from error

    def _answer(self, response: httpx.Response, asked: str) -> Any:
        if response.status_code == _NOT_FOUND:
            return None
        if response.is_success:
            return response.json() if response.content else {}
        said = _said(response)
        if response.status_code == _REBALANCING:
            raise _Busy(said)
        if response.status_code >= _FAILED:
            raise DependencyError(f"Kafka Connect failed at {asked}: {said}", where=self._url)
        hint = "see connect/connector.yaml and connect/settings.yaml" if response.status_code == _WRONG else ""
        raise ConfigError(f"Kafka Connect refuses {asked}: {said}", where=self._url, hint=hint)


def _said(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text[:500]
