"""Commands to running workers say what is missing before they ask anybody."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gateway.cli import pause, resume, rollout


@pytest.mark.parametrize(
    ("app", "arguments", "told"),
    [
        (pause.app, ["--all", "--why", " "], "--why is empty"),
        (resume.app, ["--all", "--why", ""], "--why is empty"),
        (rollout.app, ["start", "--why", " "], "--why is empty"),
        (rollout.app, ["start", "--why", "x", "--at", "12"], "INCARNATION.LSN"),
        (rollout.app, ["rollback", "--why", "x", "--at", "1.x"], "INCARNATION.LSN"),
    ],
)
def test_what_is_missing_is_said_with_status_2(app: object, arguments: list[str], told: str) -> None:
    done = CliRunner().invoke(app, arguments)  # type: ignore[arg-type]
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
