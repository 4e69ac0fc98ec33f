"""Faults of what the gateway leans on: broker, registry."""

from __future__ import annotations

import os
import time
from urllib.parse import urlsplit

from ..proxy import Proxy
from .bench import Bench
from .registry import fault

LENT = "GATEWAY_TEST_STACK" in os.environ


def _broker(bench: Bench, strikes: int, kill: bool) -> None:
    gateway = bench.gateway(workers=1)
    bench.serving(gateway)
    for _ in range(strikes):
        bench.source.write(3_000)
        begun = time.monotonic()
        bench.struck(bench.arm("produce", "none", 3))  # amid a transaction, for certain
        bench.strikes -= 1
        (bench.stack.kill if kill else bench.stack.stop)("kafka")
        bench.stack.start("kafka", detached=LENT)
        bench.source.reconnect()
        bench.source.write(500)
        bench.recover(120, since=begun)
        bench.strikes += 1
    assert gateway.process.poll() is None
    assert len(gateway.said("dependency away")) >= 1


@fault("A3", "SIGKILL of the broker amid a transaction", chaos=2, full=10)
def broker_killed(bench: Bench, strikes: int) -> None:
    _broker(bench, strikes, kill=True)


@fault("A3", "clean restart of the broker amid a transaction", chaos=1, full=10)
def broker_restarted(bench: Bench, strikes: int) -> None:
    _broker(bench, strikes, kill=False)


@fault("A7", "registry away while workers die", chaos=3, full=20)
def registry_away(bench: Bench, strikes: int) -> None:
    address = urlsplit(bench.installation.registry_url)
    proxy = Proxy((address.hostname or "", address.port or 0))
    through = bench.installation.registry_url.replace(f":{address.port}", f":{proxy.port}")
    gateway = bench.gateway(GATEWAY_REGISTRY_URL=through)
    bench.serving(gateway)
    with bench.load():
        for _ in range(strikes):
            begun, waited = time.monotonic(), len(gateway.said("dependency away"))
            proxy.down()
            bench.struck(bench.arm("flush", "kill"))
            bench.installation.wait(lambda waited=waited: len(gateway.said("dependency away")) > waited, 60)  # type: ignore[misc]
            time.sleep(2)
            proxy.up()
            bench.recover(since=begun)


@fault("A7", "registry there and useless (hangs, 500, 404) while workers die", chaos=3, full=21)
def registry_useless(bench: Bench, strikes: int) -> None:
    address = urlsplit(bench.installation.registry_url)
    proxy = Proxy((address.hostname or "", address.port or 0))
    through = bench.installation.registry_url.replace(f":{address.port}", f":{proxy.port}")
    gateway = bench.gateway(GATEWAY_REGISTRY_URL=through)
    bench.serving(gateway)
    with bench.load():
        for number in range(strikes):
            begun = time.monotonic()
            proxy.fail(("hang", "500", "404")[number % 3])
            bench.struck(bench.arm("flush", "kill"))
            time.sleep(4)
            proxy.fail("")
            if gateway.process.poll() is not None:  # a 404 is an answer: it says that there is no such contract
                bench.notes.append(f"ended by {proxy.fault or 'the answer'}: {gateway.process.returncode}")
                gateway = bench.gateway(GATEWAY_REGISTRY_URL=through)
            bench.recover(since=begun)


@fault("F22 A24", "silence, then one more transaction", chaos=2, full=10)
def idle(bench: Bench, strikes: int) -> None:
    bench.serving(bench.gateway())
    for _ in range(strikes):
        bench.source.write(200)
        bench.recover()
        time.sleep(11)
        bench.source.write(1)
        bench.strikes += 1
        bench.recover()
