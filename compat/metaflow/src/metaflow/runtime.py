"""The end of a run whose task failed."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "TaskFailed": "headway.errors:RunFailedError",
    },
)
