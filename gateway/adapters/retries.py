"""stamina's retries without its log: by default that goes to standard output, where commands print their results."""

from stamina import retry, retry_context
from stamina.instrumentation import set_on_retry_hooks

__all__ = ["retry", "retry_context"]

set_on_retry_hooks(())
