"""The base page and its parts, in a real browser."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from gateway.authoring import pages
from tests.browser.conftest import Look

_SAMPLE = """{% extends "base.html" %}{% import "parts.html" as parts %}
{% block title %}A sample{% endblock %}
{% block content %}
<div class="tiles">{{ parts.tile(12345 | number, "units") }}{{ parts.tile(3 | percent(4), "explained", "good") }}</div>
{{ parts.bar([(3, "good"), (1, "bad")], 4, "3 of 4") }}
{% call parts.table(["Rule", ("Units", "n")]) %}
<tr><td><code>{{ "a-rule-with-a-name-that-is-rather-long-" * 8 }}</code></td><td class="n">1</td></tr>{% endcall %}
<p id="hostile">{{ hostile }}</p>
{% call parts.more("More") %}<pre>{{ {"a": 1} | pretty }}</pre>{% endcall %}
{% endblock %}"""


def _page(template: str, **values: object) -> str:
    return pages._environment().from_string(template).render(**values)


def test_the_base_page_is_in_order_in_each_width_and_light(tmp_path: Path, look: Look) -> None:
    file = tmp_path / "sample.html"
    file.write_text(_page(_SAMPLE, hostile="<script>alert(1)</script>"))
    page = look(file)
    assert page.title() == "A sample"
    assert page.inner_text("#hostile") == "<script>alert(1)</script>"
    assert page.inner_text(".tile.good b") == "75\u202f%"


def test_a_value_that_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        _page(_SAMPLE)
