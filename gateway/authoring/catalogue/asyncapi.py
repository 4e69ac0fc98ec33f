"""The catalogue as an AsyncAPI 3.0 document with Kafka bindings: what a service that subscribes must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from gateway.authoring.catalogue.nouns import AggregateEntry, Catalogue, EventEntry

__all__ = ["Server", "asyncapi", "asyncapi_yaml"]

_BINDING = "0.5.0"
_AVRO = "application/vnd.apache.avro;version=1.9.0"
_INTENTS = ["fact", "correction", "merge", "pending", "undetermined", "state"]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the events are: Kafka's bootstrap address and the registry's URL. ``prefix`` stands before topics."""

    bootstrap: str
    registry: str
    prefix: str = ""


def asyncapi(catalogue: Catalogue, title: str, server: Server | None = None) -> dict[str, object]:
    """The document as a tree of plain values. Without ``server`` it names topics, and no place to find them."""
    topics = _topics(catalogue)
    prefix = "" if server is None else server.prefix
    document: dict[str, object] = {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": "1.0.0",
            "description": "Domain events derived from the changes of legacy tables. CloudEvents 1.0 in Kafka's binary "
            "binding; ordered within an aggregate; delivered exactly once to readers of committed records.",
        },
        "defaultContentType": "application/avro",
    }
    if server is not None:
        document["servers"] = {"kafka": _server(server)}
    document["channels"] = {topic: _channel(prefix + topic, events) for topic, events in topics.items()}
    document["operations"] = {_camel(topic): _operation(topic, events) for topic, events in topics.items()}
    messages = {key: message for event in catalogue.events for key, message in _messages(event, catalogue).items()}
    document["components"] = {"messages": messages, "messageTraits": {"cloudEvent": _cloud_event()}}
    return document


def asyncapi_yaml(document: Mapping[str, object]) -> str:
    """The document as YAML, in its own order."""
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


class _Plain(yaml.SafeDumper):
    """Writes equal values out each time: no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        return True


def _topics(catalogue: Catalogue) -> dict[str, list[EventEntry]]:
    topics: dict[str, list[EventEntry]] = {}
    for event in catalogue.events:
        topics.setdefault(event.topic, []).append(event)
    return topics


def _server(server: Server) -> dict[str, object]:
    return {
        "host": server.bootstrap,
        "protocol": "kafka",
        "description": "The installation's Kafka cluster.",
        "bindings": {
            "kafka": {
                "schemaRegistryUrl": server.registry,
                "schemaRegistryVendor": "confluent",
                "bindingVersion": _BINDING,
            }
        },
    }


def _keys(event: EventEntry) -> list[str]:
    return [f"{event.name}.{label}" for label in event.contracts]


def _channel(address: str, events: list[EventEntry]) -> dict[str, object]:
    aggregate = events[0].aggregate
    return {
        "address": address,
        "title": f"Events of {aggregate}",
        "description": f"Events of one {aggregate} stand in one partition, in the order of the database's commits.",
        "messages": {key: {"$ref": f"#/components/messages/{key}"} for event in events for key in _keys(event)},
        "bindings": {"kafka": {"topic": address, "bindingVersion": _BINDING}},
    }


def _operation(topic: str, events: list[EventEntry]) -> dict[str, object]:
    channel = f"#/channels/{topic}"
    return {
        "action": "send",
        "title": f"Publish the events of {events[0].aggregate}",
        "summary": "The gateway publishes what the legacy changes meant.",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{key}"} for event in events for key in _keys(event)],
        "bindings": {"kafka": {"bindingVersion": _BINDING}},
    }


def _messages(event: EventEntry, catalogue: Catalogue) -> dict[str, object]:
    aggregate = next(each for each in catalogue.aggregates if each.name == event.aggregate)
    return {
        f"{event.name}.{label}": _message(event, label, schema, aggregate) for label, schema in event.contracts.items()
    }


def _message(
    event: EventEntry, label: str, schema: Mapping[str, object], aggregate: AggregateEntry
) -> dict[str, object]:
    version = next((each for each in event.versions if each.label == label), None)
    message: dict[str, object] = {
        "name": f"{schema.get('namespace')}.{schema['name']}",
        "title": f"{event.name} {label}",
        "summary": str(schema.get("doc", "")) or event.name,
        "contentType": "application/avro",
        "tags": [{"name": f"capability:{event.capability}"}, *({"name": f"intent:{each}"} for each in event.intents)],
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {"schemaFormat": _AVRO, "schema": schema},
        "bindings": {"kafka": _kafka(aggregate)},
        "x-capability": event.capability,
        "x-mapping": event.file,
    }
    if version is not None and version.state == "deprecated":
        message |= {"x-deprecated": True, **({"x-sunset": version.sunset} if version.sunset else {})}
    if event.examples and label == f"v{event.version}":
        first = event.examples[0]
        message["examples"] = [{"name": first.rule, "summary": first.case, "payload": first.payload}]
    return message


def _kafka(aggregate: AggregateEntry) -> dict[str, object]:
    parts = ", ".join(aggregate.key)
    return {
        "key": {"type": "string", "description": f"The aggregate's id: {parts}."},
        "schemaIdLocation": "payload",
        "schemaIdPayloadEncoding": "confluent",
        "schemaLookupStrategy": "TopicRecordNameStrategy",
        "bindingVersion": _BINDING,
    }


def _cloud_event() -> dict[str, object]:
    text = {"type": "string"}
    headers = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {**text, "description": "The same for the same change, however often it is read or replayed."},
        "ce_source": {**text, "format": "uri-reference", "description": "The legacy database."},
        "ce_type": {**text, "description": "The contract's full name, with its major version."},
        "ce_subject": {**text, "description": "The aggregate's id."},
        "ce_time": {**text, "format": "date-time", "description": "When the change was made in the legacy database."},
        "ce_sequence": {**text, "description": "Grows within an aggregate; compare as text."},
        "content-type": {"const": "application/avro"},
        "lineage": {**text, "description": f"name=value, by commas: intent ({', '.join(_INTENTS)}), rule, mapping, …"},
    }
    required = [name for name in headers if name != "lineage"]
    return {"headers": {"type": "object", "properties": headers, "required": required}}


def _camel(topic: str) -> str:
    parts = topic.replace("-", ".").split(".")
    return "publish" + "".join(part[:1].upper() + part[1:] for part in parts)
