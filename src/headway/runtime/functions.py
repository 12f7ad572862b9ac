"""Functions that a step sets and that cannot be pickled: they end with the step. Loaded where one sets functions.

Metaflow stores no function and no bound method, whatever its own. Those that can be pickled are kept here.
"""

import sys
from typing import Any, Mapping

from headway.store.room import Room
from headway.store.serialize import dump_within


def leave_out(flow: Any, functions: Mapping[str, object]) -> None:
    """Take back what cannot be pickled, as though the step had not set it, and say so in the attempt's log.

    Args:
        flow: The flow object, as the step left it.
        functions: The functions and bound methods that are set on it, by name.
    """
    left = [name for name, value in functions.items() if not _is_picklable(value)]
    for name in left:
        delattr(flow, name)
    if left:
        _say(", ".join(f"self.{name}" for name in left))


def _is_picklable(value: object) -> bool:
    try:
        dump_within(value, Room(sys.maxsize))
    except Exception:  # the class of a method's object may raise anything
        return False
    return True


def _say(names: str) -> None:
    try:
        sys.stderr.write(
            f"Not passed on to the steps that follow: {names}. Such functions cannot be pickled: define them at the "
            "top level of a module, or in each step that calls them.\n"
        )
    except (OSError, ValueError, AttributeError):
        # The step closed or replaced its streams.
        return
