"""Runs started from Python: a flow file is run as a process of its own, and read back through the client.

::

    with Runner("flow.py", datastore="local").run(alpha=0.1, tags=["nightly"]) as executing:
        print(executing.status, executing.run.data.score)
"""

from headway.runner.errors import (
    ArgumentTypeError,
    RunNotStartedError,
    SpinFailedError,
    UnknownArgumentError,
)
from headway.runner.executing import ExecutingRun, ExecutingTask
from headway.runner.notebook import NBRunner
from headway.runner.runner import Runner

__all__ = [
    "ArgumentTypeError",
    "ExecutingRun",
    "ExecutingTask",
    "NBRunner",
    "RunNotStartedError",
    "Runner",
    "SpinFailedError",
    "UnknownArgumentError",
]
