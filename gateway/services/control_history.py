"""The control log, read whole by somebody who is no worker."""

from __future__ import annotations

from gateway.bridge.commands import read_command
from gateway.bridge.history import History
from gateway.model.errors import ConfigError, DependencyError
from gateway.ports import Cluster, LogReader, Partition

__all__ = ["read_history"]

_SECONDS = 20.0
_EACH = 0.2


def read_history(log: LogReader, cluster: Cluster, topic: str) -> History:
    """All commands up to now. ConfigError: there is no control log; DependencyError: it is not read in time."""
    place, history = Partition(topic, 0), History()
    try:
        cluster.shape(topic)
    except ConfigError as error:
        hint = "`gateway connect apply` creates the topics of an installation"
        raise ConfigError("there is no control log", where=topic, hint=hint) from error
    until, position = cluster.high_watermark(place), 0
    log.assign({place: 0})
    for _ in range(round(_SECONDS / _EACH)):
        batch = log.take(wait=_EACH)
        for record in batch.records:
            position = max(position, record.offset + 1)
            history.add(record.offset, read_command(record.value or b""))
        position = max(position, batch.ends.get(place, 0))
        if position >= until:
            return history
    raise DependencyError("the control log is not read in time", where=topic, hint="a worker's transaction may be open")
