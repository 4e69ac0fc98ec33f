"""The catalogue as a static site: pages, contracts and the AsyncAPI document, by path; nothing asked of the network."""

from __future__ import annotations

import json
from collections.abc import Mapping

from markupsafe import Markup, escape

from gateway.authoring.catalogue.asyncapi import Server, asyncapi, asyncapi_yaml
from gateway.authoring.catalogue.nouns import Catalogue, EventEntry
from gateway.authoring.pages import render

__all__ = ["site"]

_TONES = {
    "fact": "good",
    "correction": "fine",
    "merge": "fine",
    "pending": "warn",
    "undetermined": "warn",
    "state": "quiet",
}


def site(catalogue: Catalogue, title: str = "Events", server: Server | None = None) -> Mapping[str, str]:
    """All files of the site: path below its folder to content."""
    document = asyncapi(catalogue, title, server)
    files = {
        "index.html": _index(catalogue, title),
        "tables.html": render("catalogue/tables", catalogue=catalogue),
        "asyncapi.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        "asyncapi.yaml": asyncapi_yaml(document),
    }
    for aggregate in catalogue.aggregates:
        events = [event for event in catalogue.events if event.aggregate == aggregate.name]
        path = f"aggregates/{aggregate.name}.html"
        files[path] = render("catalogue/aggregate", aggregate=aggregate, events=events, tones=_TONES, ticks=_ticks)
    names = [event.name for event in catalogue.events]
    for event, before, after in zip(catalogue.events, ["", *names], [*names[1:], ""], strict=False):
        files[f"events/{event.name}.html"] = _event(event, before, after)
        for label, schema in event.contracts.items():
            files[f"contracts/{event.name}.{label}.avsc"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return files


def _index(catalogue: Catalogue, title: str) -> str:
    return render(
        "catalogue/index",
        title=title,
        catalogue=catalogue,
        capabilities=sorted({event.capability for event in catalogue.events}),
        intents=[intent for intent in _TONES if any(intent in event.intents for event in catalogue.events)],
        events={
            each.name: [event for event in catalogue.events if event.aggregate == each.name]
            for each in catalogue.aggregates
        },
        words={event.name: _words(event) for event in catalogue.events},
        tones=_TONES,
    )


def _ticks(text: str) -> Markup:
    """Text with its backticks as code."""
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces)
    )


def _words(event: EventEntry) -> str:
    """What a search finds an event by."""
    origins = (origin for found in event.origins.values() for origin in found)
    texts = [
        *(event.name, event.doc, event.aggregate, event.capability, event.topic),
        *(f"{field.path} {'pii personal data' if field.pii else ''}" for field in event.fields),
        *(f"{origin.table}.{origin.column}" for origin in origins),
        *(text for rule in event.rules for text in (rule.name, *rule.tables)),
        *(consumer.name for consumer in event.consumers),
    ]
    return " ".join(dict.fromkeys(" ".join(texts).lower().split()))


def _event(event: EventEntry, before: str, after: str) -> str:
    return render(
        "catalogue/event",
        event=event,
        sources=dict.fromkeys(table for rule in event.rules for table in rule.tables),
        personal=any(field.pii for field in event.fields),
        before=before,
        after=after,
        tones=_TONES,
        ticks=_ticks,
    )
