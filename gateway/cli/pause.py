"""`gateway pause`: stop settling records of some partitions until they are resumed."""

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

app = typer.Typer(help="Stop settling records until `gateway resume`.", add_completion=False)


@app.command(
    epilog=examples(
        'gateway pause --topic customer.raw --why "broken codes, see INC-7" --wait 30',
        'gateway pause --capability claims --why "index rebuild"',
        'gateway pause --partition customer.raw/3 --why "looking into it"',
    )
)
def pause(
    why: WhyOption,
    everything: AllOption = False,
    topic: TopicOption = None,
    partition: PartitionOption = None,
    capability: CapabilityOption = None,
    wait: WaitOption = 0,
    who: WhoOption = "",
    output: OutputOption = "text",
) -> None:
    """Pause partitions: each stops between two transactions, its records stay in the raw topic.

    A pause outlives restarts and rebalances. Exit status 1: with --wait, some partitions did not answer in time.
    """
    said = Aim(everything, tuple(topic or ()), tuple(partition or ()), tuple(capability or ()))
    give(Kind.PAUSE, said, why, who, wait, output)
