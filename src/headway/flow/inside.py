"""What some flows read of Metaflow's flow objects though it is no public name; loaded by those flows only.

None of it is set, stored or listed, so a flow may use the names for its own.
"""

from headway.flow.current import current
from headway.flow.state import TaskState
from headway.plain import Any


def inside(state: TaskState, name: str) -> Any:
    """The value of one of these names.

    Args:
        state: What the flow object knows of its task.
        name: ``_current_step``, ``_graph_info`` or ``_transition``.
    """
    if name == "_current_step":
        return state.task.step
    if name == "_graph_info":
        return current.graph_info
    said = state.transition
    return None if said is None else (list(said.targets), said.foreach)
