"""A Confluent-compatible schema registry, and the wire format its ids travel in.

At run time schemas are looked up, never registered: ``schema_id`` and ``schema``. The rest serves ``gateway schemas``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError

# The client raises the transport errors of whichever httpx it found; only this module knows which.
from confluent_kafka.schema_registry.common._httpx_compat import httpx

from gateway.model.errors import ConfigError, DependencyError, LetterClass, RecordError

__all__ = ["ConfluentRegistry", "frame", "unframe"]

MAGIC = 0
_FRAME = struct.Struct(">BI")
_NUMERIC = frozenset({"timeout", "max.retries", "retries.wait.ms", "retries.max.wait.ms", "cache.capacity"})
_DEFAULTS: Mapping[str, object] = {"timeout": 5.0, "max.retries": 0}
"""The callers wait and try again by themselves, and say so; the client should not do it silently."""
_MISSING = 404
_INCOMPATIBLE = 409
_AWAY = frozenset({408, 429}) | frozenset(range(500, 600))
_FORBIDDEN = frozenset({401, 403})
_UNPROCESSABLE = 422


def frame(schema_id: int) -> bytes:
    """The five bytes that stand before an Avro body: 0x00 and the schema's id."""
    return _FRAME.pack(MAGIC, schema_id)


def unframe(value: bytes) -> tuple[int, bytes]:
    """Split a value into schema id and Avro body. Raises RecordError (``decode``) if it is not so framed."""
    if len(value) < _FRAME.size or value[0] != MAGIC:
        raise RecordError(
            LetterClass.DECODE, f"no schema id: {len(value)} bytes that begin with {value[:5].hex() or 'nothing'}"
        )
    return _FRAME.unpack_from(value)[1], value[_FRAME.size :]


class ConfluentRegistry:
    """The registry at ``url`` (the base of its Confluent API; several, comma-separated, are tried in turn).

    ``options`` go to confluent_kafka's client as they are (``basic.auth.user.info``, ``ssl.ca.location``, …). Methods
    raise DependencyError when the registry is away and ConfigError when it refuses, unless they say otherwise.
    """

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        settings = {**_DEFAULTS, **{key: _number(key, value) for key, value in (options or {}).items()}}
        try:
            self._client = SchemaRegistryClient({"url": url, **settings})
        except (ValueError, TypeError) as error:
            raise ConfigError(f"the registry's settings are wrong: {error}", where="registry_url, registry") from error
        self._url = url
        self._parsed: dict[int, Mapping[str, object]] = {}

    def schema_id(self, subject: str, schema: Mapping[str, object]) -> int:
        """The id under which exactly ``schema`` is registered for ``subject``. ConfigError: missing or different."""
        with self._asking(f"looking up {subject}"):
            try:
                found = self._client.lookup_schema(subject, _avro(schema)).schema_id
            except SchemaRegistryError as error:
                if error.http_status_code != _MISSING:
                    raise
                found = None
        if found is None:
            raise self._unregistered(subject)
        return int(found)

    def schema(self, schema_id: int) -> Mapping[str, object]:
        """The parsed schema with this id, kept for good once read. ConfigError: there is none."""
        if schema_id not in self._parsed:
            with self._asking(f"reading schema {schema_id}"):
                self._parsed[schema_id] = _parsed(self._client.get_schema(schema_id))
        return self._parsed[schema_id]

    def versions(self, subject: str) -> Mapping[int, Mapping[str, object]]:
        """All registered versions of ``subject`` by number, oldest first; empty if the subject is unknown."""
        with self._asking(f"reading the versions of {subject}"):
            try:
                numbers = sorted(self._client.get_versions(subject))
            except SchemaRegistryError as error:
                if error.http_status_code == _MISSING:
                    return {}
                raise
            return {number: _parsed(self._client.get_version(subject, number).schema) for number in numbers}

    def register(self, subject: str, schema: Mapping[str, object]) -> int:
        """Register a version, or find it registered; returns its id. ConfigError: it is incompatible."""
        with self._asking(f"registering {subject}"):
            return int(self._client.register_schema(subject, _avro(schema)))

    def accepts(self, subject: str, schema: Mapping[str, object]) -> bool:
        """Whether the registry would register ``schema`` beside all versions of ``subject``."""
        with self._asking(f"asking whether {subject} takes a version"):
            try:
                return bool(self._client.test_compatibility_all_versions(subject, _avro(schema)))
            except SchemaRegistryError as error:
                if error.http_status_code == _MISSING:
                    return True
                raise

    def compatibility(self, subject: str) -> str:
        """The compatibility level set for ``subject`` itself; '' where none is."""
        with self._asking(f"reading the compatibility of {subject}"):
            try:
                return str(self._client.get_compatibility(subject))
            except SchemaRegistryError as error:
                if error.http_status_code == _MISSING:
                    return ""
                raise

    def set_compatibility(self, subject: str, level: str) -> None:
        """Set the compatibility level of ``subject``, which some registries want to exist."""
        with self._asking(f"setting the compatibility of {subject}"):
            self._client.set_compatibility(subject, level)

    def _unregistered(self, subject: str) -> ConfigError:
        known = self.versions(subject)
        if known:
            what = f"{subject} is registered, but not with this contract (it has versions {', '.join(map(str, known))})"
        else:
            what = f"{subject} is not registered"
        return ConfigError(what, where=self._url, hint="run `gateway schemas check`, then `gateway schemas push`")

    @contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        """Turn the client's errors into ours."""
        try:
            yield
        except httpx.HTTPError as error:
            raise DependencyError(f"the registry does not answer while {doing}: {error!r}", where=self._url) from error
        except SchemaRegistryError as error:
            raise self._refused(error, doing) from error

    def _refused(self, error: SchemaRegistryError, doing: str) -> ConfigError | DependencyError:
        status, said = error.http_status_code, error.error_message
        if status in _AWAY:
            return DependencyError(f"the registry failed ({status}) while {doing}: {said}", where=self._url)
        if status in _FORBIDDEN:
            hint = "set registry: {basic.auth.user.info: …} or another credential"
            return ConfigError(f"the registry lets nobody in ({status}) while {doing}", where=self._url, hint=hint)
        if status in (_INCOMPATIBLE, _UNPROCESSABLE):
            hint = "`gateway schemas check` names field and line"
            return ConfigError(f"the registry refused ({status}) {doing}: {said}", where=self._url, hint=hint)
        return ConfigError(f"the registry answered {status} while {doing}: {said}", where=self._url)


def _avro(schema: Mapping[str, object]) -> Schema:
    """The one text of a contract that is ever registered or looked up: compact JSON, members in their own order."""
    return Schema(json.dumps(schema, separators=(",", ":"), ensure_ascii=False), "AVRO")


def _parsed(schema: Schema) -> Mapping[str, object]:
    return cast("Mapping[str, object]", json.loads(schema.schema_str or "null"))


def _number(key: str, value: str) -> object:
    return float(value) if key in _NUMERIC else value
