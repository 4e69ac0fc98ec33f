"""Faults while the rules change: rollouts and rollbacks under load, the worker killed amid each."""

from __future__ import annotations

import shutil
from pathlib import Path

from confluent_kafka.admin import NewTopic

from ..test_rollouts import judge, load_mappings, rollout
from .bench import Bench
from .registry import fault


def _other_rules(bench: Bench) -> Path:
    """The same events for another reason: another digest."""
    folder = bench.folder / "mappings"
    shutil.copytree(bench.installation.mappings, folder)
    file = folder / "thing" / "thing.yaml"
    file.write_text(file.read_text().replace("nobody outside reads them", "nobody at all reads them"))
    return folder


@fault("F16 A27", "rollouts and rollbacks of rules under load, the worker killed amid each", chaos=6, full=50)
def rollouts(bench: Bench, strikes: int) -> None:
    at = bench.installation
    at.admin.create_topics([NewTopic(f"{at.prefix}gateway.control", 1, 1)])[f"{at.prefix}gateway.control"].result(20)
    other = _other_rules(bench)
    digests = {
        what: load_mappings(rules)[0].digest[:8] for what, rules in (("start", other), ("rollback", at.mappings))
    }
    bench.serving(bench.gateway())
    cuts: list[tuple[tuple[int, int], str]] = []
    cancelled = 0
    with bench.load():
        at.wait(lambda: rollout(at, "status")["in_force"] is not None, 90)
        while len(cuts) < strikes:
            what = "rollback" if len(cuts) % 2 else "start"
            rules = ["--mappings", str(other)] if what == "start" else []
            number = bench.arm(bench.chance.choice(["produce", "flush", "offsets", "committed"]), "kill")
            done = rollout(at, what, "--why", "a fault is tried", "--timeout", "40", *rules)
            bench.struck(number)
            if done["committed"]:
                cuts.append((tuple(done["cut"]), digests[what]))
            else:
                cancelled += 1
                bench.strikes -= 1
            bench.recover()
            assert cancelled <= 10 + strikes, done
    at.wait_until_settled(bench.source)
    counted = judge(at, digests["rollback"], cuts)
    bench.notes.append(f"{len(cuts)} cuts, {cancelled} cancelled, events by digest: {dict(counted)}")
    assert all(counted[digest] > 0 for digest in digests.values())
