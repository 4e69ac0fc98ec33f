"""The native stack: PostgreSQL, Kafka, Kafka Connect and the schema registry as ordinary processes."""

from gateway.stack.endpoints import Endpoints
from gateway.stack.errors import StackError
from gateway.stack.progress import Progress, Step
from gateway.stack.stack import Stack

__all__ = ["Endpoints", "Progress", "Stack", "StackError", "Step"]
