"""Loaded by every interpreter of a gateway under test: failpoints around its producer, and bugs planted on demand.

The gateway has no hook for this: its environment has (PYTHONPATH). GATEWAY_LAB names the folder in which a strike is
armed: a file ``arm`` says where, at the how-maniest call, and what to do. Whoever comes by takes it (a rename, so that
one strike is struck once), writes its proof, and only then does it. GATEWAY_LAB_BUG plants a bug instead.
"""

import json
import os
import signal
import time
from pathlib import Path

_FOLDER = os.environ.get("GATEWAY_LAB", "")
_ARM = Path(_FOLDER) / "arm"


def _armed():
    try:
        return json.loads(_ARM.read_text())
    except (OSError, ValueError):
        return None


def _strike(point, count):
    """Take the armed strike if it is for here; gives its action once the proof is on disk."""
    wanted = _armed()
    if wanted is None or wanted["point"] != point or count < wanted["count"]:
        return None
    try:
        _ARM.rename(_ARM.with_name(f"struck-{wanted['number']}"))
    except OSError:
        return None  # another worker was first
    proof = {**wanted, "pid": os.getpid(), "records": count, "at": time.time()}
    with _ARM.with_name("proofs.jsonl").open("a") as file:
        file.write(json.dumps(proof) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return wanted["action"]


def _act(action):
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action in ("stop", "stop-and-doze"):
        os.kill(os.getpid(), signal.SIGSTOP)
        if action == "stop-and-doze":  # long enough for the client's own threads to hear what happened meanwhile
            time.sleep(2)


def _install():
    import confluent_kafka
    from confluent_kafka import KafkaError, KafkaException

    class StruckProducer(confluent_kafka.Producer):
        """A producer that passes the failpoints; ``_count``: records of the transaction so far."""

        _count = 0

        def begin_transaction(self):
            self._count = 0
            _act(_strike("begin", 0))
            return super().begin_transaction()

        def produce(self, *arguments, **named):
            self._count += 1
            super().produce(*arguments, **named)
            _act(_strike("produce", self._count))

        def flush(self, *arguments):
            left = super().flush(*arguments)
            if self._count:
                _act(_strike("flush", self._count))
            return left

        def send_offsets_to_transaction(self, places, membership, *arguments):
            if os.environ.get("GATEWAY_LAB_BUG") == "fresh-metadata" and _consumers:
                membership = _consumers[-1].consumer_group_metadata()
            super().send_offsets_to_transaction(places, membership, *arguments)
            _act(_strike("offsets", self._count))

        def commit_transaction(self, *arguments):
            action = _strike("commit", self._count)
            _act(action)
            if action == "lost-before":  # the request never arrived, and the answer neither
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "planted: no answer"))
            super().commit_transaction(*arguments)
            if action == "lost-after":
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "planted: no answer"))
            _act(_strike("committed", self._count))
            self._count = 0

    _consumers = []
    confluent_kafka.Producer = StruckProducer
    if os.environ.get("GATEWAY_LAB_BUG") == "fresh-metadata":

        class SeenConsumer(confluent_kafka.Consumer):
            def subscribe(self, *arguments, **named):
                _consumers.append(self)
                super().subscribe(*arguments, **named)

        confluent_kafka.Consumer = SeenConsumer


def _skew():
    """A clock that is wrong by GATEWAY_LAB_SKEW seconds, and steps back and forth by as much each second."""
    wrong, true = float(os.environ["GATEWAY_LAB_SKEW"]), time.time
    time.time = lambda: true() + (wrong if int(true()) % 2 else -wrong)


def _plant(bug):
    """Bugs that the laboratory must find; each is what a hasty hand might have written."""
    if bug == "no-dedup":
        from gateway.pipeline import admit, assemble

        assemble.judge = lambda *_: admit.Standing.ABOVE
    elif bug == "wrong-id":
        from gateway.pipeline import encode

        right = encode.event_id
        encode.event_id = lambda name, inc, row, *rest: right(f"{name}{os.getpid()}", inc, row, *rest)
    elif bug == "lso":
        from gateway.adapters import kafka_cluster

        kafka_cluster.IsolationLevel = _Committed()
    elif bug == "no-guard":
        _without_guard()
    elif bug == "no-suspicion":
        from gateway.adapters import kafka_sink

        kafka_sink._SUSPECT, kafka_sink._RETRY_BACKOFF = 1e9, 0.1


class _Committed:
    """Asking for the one level gives the other."""

    @property
    def READ_UNCOMMITTED(self):
        from confluent_kafka import IsolationLevel

        return IsolationLevel.READ_COMMITTED


def _without_guard():
    """A commit without an answer is taken for one that failed: the same records again, in a new transaction."""
    from gateway.adapters.kafka_sink import KafkaSink
    from gateway.ports import InDoubt

    begin, send, commit = KafkaSink.begin, KafkaSink.send, KafkaSink.commit

    def remember_begin(self):
        self.remembered = []
        begin(self)

    def remember(self, *arguments, **named):
        self.remembered.append((arguments, named))
        send(self, *arguments, **named)

    def hasty(self, offsets, membership, deadline=None):
        try:
            commit(self, offsets, membership, deadline)
        except InDoubt:
            self.reopen()
            begin(self)
            for arguments, named in self.remembered:
                send(self, *arguments, **named)
            commit(self, offsets, membership, deadline)

    KafkaSink.begin, KafkaSink.send, KafkaSink.commit = remember_begin, remember, hasty


if _FOLDER:
    _install()
    if "GATEWAY_LAB_SKEW" in os.environ:
        _skew()
    if "GATEWAY_LAB_BUG" in os.environ:
        _plant(os.environ["GATEWAY_LAB_BUG"])
