"""The first thing that ``MyFlow()`` does: what can be done before the command line is loaded."""

import gc
import sys

from headway.cli.quick import answer
from headway.plain import Any, Mapping, Sequence

#: Commands that run steps.
_RUNNING = frozenset({"run", "resume", "spin"})


def begin(flow_class: Any) -> None:
    """Do what the process was started for, and exit."""
    if answer(flow_class, sys.argv[1:], sys.argv[0]):
        sys.exit(0)
    if not _RUNNING.isdisjoint(sys.argv[1:]):
        # A process of its own loads what steps need while this one loads what the launcher needs.
        from headway.executors.local.warmup import warm_up

        warm_up(flow_class, sys.argv[1:])
    # What is loaded now stays, and need not be searched for garbage again and again meanwhile.
    gc.set_threshold(50_000, 20, 20)
    # All that other commands need: ten times as much.
    from headway.cli.start import start_flow

    start_flow(flow_class)


def begin_pipeline(pipeline: Any, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """Do what calling a pipeline means in this process."""
    words = sys.argv[1:]
    if not words or not _RUNNING.isdisjoint(words):
        # As for a flow.
        from headway.executors.local.warmup import warm_up

        warm_up(object, words)
    from headway.cli.pipelines import call_pipeline  # the whole command line

    return call_pipeline(pipeline, given, named)
