"""What some flows read of Metaflow's flow objects though it is no public name; loaded by those flows only.

None of it is set, stored or listed, so a flow may use the names for its own.
"""

from headway.flow.current import current
from headway.flow.frames import ForeachFrame, shown_item, variable_of
from headway.flow.graph import PARALLEL_VARIABLE
from headway.flow.state import TaskState
from headway.plain import Any, List


def inside(state: TaskState, name: str) -> Any:
    """The value of one of these names.

    Args:
        state: What the flow object knows of its task.
        name: ``_current_step``, ``_foreach_stack``, ``_graph_info`` or ``_transition``.
    """
    if name == "_current_step":
        return state.task.step
    if name == "_graph_info":
        return current.graph_info
    if name == "_foreach_stack":
        return _stack(state)
    said = state.transition
    return None if said is None else (list(said.targets), said.foreach)


def _stack(state: TaskState) -> List[ForeachFrame]:
    """Each foreach around the task, outermost first, as the client tells it of a task that has ended."""
    graph = current.get("graph_info")
    steps = {} if graph is None else graph["steps"]
    stack = []
    for level, (split, _, index, count, variable) in state.foreach_frames():
        targets: List[str] = steps[split]["next"] if split in steps else []
        step = targets[0] if len(targets) == 1 else split
        value = None if variable == PARALLEL_VARIABLE else shown_item(state.item(level))
        stack.append(ForeachFrame(step, variable_of(variable) or "", count, index, value))
    return stack
