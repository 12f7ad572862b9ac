"""What a task's foreachs are called for flows and programs that read ``_foreach_stack``; loaded by those only."""

from headway.flow.graph import PARALLEL_VARIABLE
from headway.plain import Any, NamedTuple, Optional

#: What Metaflow calls what a gang is spread over.
_GANG = "_parallel_ubf_iter"
#: Characters of an item's text that are shown.
_SHOWN = 30


class ForeachFrame(NamedTuple):
    """One foreach around a task.

    Attributes:
        step: The first of its steps.
        var: The artifact that it goes over.
        num_splits: Its number of tasks.
        index: Which of them this is.
        value: The text of its item, cut short; None where that cannot be read.
    """

    step: str
    var: str
    num_splits: int
    index: int  # type: ignore[assignment]  # the name that Metaflow's has, in place of the tuple's method
    value: Optional[str]


def variable_of(name: Optional[str]) -> Optional[str]:
    """The artifact that a foreach goes over, by the name that Metaflow has for it."""
    return _GANG if name == PARALLEL_VARIABLE else name


def shown_item(item: Any) -> str:
    """The text of an item, cut short."""
    if isinstance(item, (str, int, float)):
        return str(item)[:_SHOWN]
    from reprlib import Repr  # for other items only

    return Repr().repr(item)[:_SHOWN]
