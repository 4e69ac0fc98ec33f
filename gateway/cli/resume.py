"""`gateway resume`: go on where `gateway pause` stopped."""

from __future__ import annotations

import typer

from gateway.bridge.commands import Kind
from gateway.cli.commanding import (
    AllOption,
    CapabilityOption,
    OutputOption,
    PartitionOption,
    TopicOption,
    WaitOption,
    WhoOption,
    WhyOption,
    give,
)
from gateway.cli.examples import examples
from gateway.services.control_targets import Aim

__all__ = ["app"]

app = typer.Typer(help="Go on with what `gateway pause` stopped.", add_completion=False)


@app.command(
    epilog=examples(
        'gateway resume --all --why "INC-7 is solved" --wait 30',
        'gateway resume --capability claims --why "index is rebuilt"',
        'gateway resume --partition customer.raw/3 --why "understood"',
    )
)
def resume(
    why: WhyOption,
    everything: AllOption = False,
    topic: TopicOption = None,
    partition: PartitionOption = None,
    capability: CapabilityOption = None,
    wait: WaitOption = 0,
    who: WhoOption = "",
    output: OutputOption = "text",
) -> None:
    """Resume partitions, whichever command paused them: each reads on where it stopped.

    Exit status 1: with --wait, some partitions did not answer in time.
    """
    said = Aim(everything, tuple(topic or ()), tuple(partition or ()), tuple(capability or ()))
    give(Kind.RESUME, said, why, who, wait, output)
