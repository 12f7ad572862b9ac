"""Runs started from Python."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "ExecutingRun": "headway:ExecutingRun",
        "ExecutingTask": "headway:ExecutingTask",
        "NBRunner": "headway:NBRunner",
        "Runner": "headway:Runner",
    },
)
