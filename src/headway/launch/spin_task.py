"""Which task of an earlier run ``spin`` does again, and what of its step's decorators has a say."""

from headway.errors import NotFoundError, UsageError
from headway.flow.graph import CALL, Graph, Node
from headway.flow.names import closest
from headway.launch.past import PastRun
from headway.store.records import STOPPED, Record

#: What has a say in a task that is done again alone; of the rest none changes what the step itself does.
_HEARD = frozenset({"card", "conda", "environment", "secrets", "timeout"})
#: So many tasks are named to somebody who asked for one that is not there.
_MOST_NAMED = 10


def parse_pathspec(text: str, flow: str) -> tuple[str | None, str, str | None]:
    """The run (None for the latest), the step and the task (None for the likeliest) that are meant.

    Args:
        text: ``step``, ``run/step`` or ``run/step/task``; the flow's name may stand before these two.
        flow: The flow's name.

    Raises:
        UsageError: It is none of these, or of another flow.
    """
    parts = text.strip("/").split("/")
    if len(parts) == 4 and parts[0] != flow:
        raise UsageError(f"{text} is a task of another flow than {flow}.", f"Name a step of {flow}.")
    if len(parts) > 2 and parts[0] == flow:
        parts = parts[1:]
    if len(parts) > 3 or not all(parts):
        raise UsageError(
            f"{text!r} names no step to spin.", "Type: spin STEP, spin RUN/STEP or spin RUN/STEP/TASK."
        )
    if len(parts) == 1:
        return None, parts[0], None
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


def spun_graph(graph: Graph, step: str, skip_decorators: bool) -> tuple[Graph, list[str]]:
    """The graph with those decorators only that have a say, and how those of the step are written that have none.

    Args:
        graph: The flow's graph.
        step: The step that is done again.
        skip_decorators: Whether none has a say, not even the flow's own.

    Raises:
        UsageError: There is no such step, or it is a gang.
    """
    if step not in graph:
        near = closest(step, list(graph.nodes))
        raise UsageError(
            f"The flow {graph.name}, as it is now, has no step {step!r} to spin."
            + (f" Did you mean {near}?" if near else ""),
            f"Its steps are {', '.join(node.name for node in graph.in_order())}.",
        )
    node = graph[step]
    if node.is_parallel:
        raise UsageError(
            f"Step {step} is a gang (@parallel): its ranks need each other, so no task of it is done alone.",
            f"Run the whole gang again: resume {step}",
        )
    heard = tuple(
        spec
        for spec in node.decorators
        if not skip_decorators and (spec.name in _HEARD or spec.user is not None)
    )
    unheard = [f"@{spec.name}" for spec in node.decorators if spec not in heard]
    # The other steps are not run; what is written on them need not even be possible here.
    nodes = [each._replace(decorators=heard if each is node else ()) for each in graph]
    flow = () if skip_decorators else graph.decorators
    return Graph(graph.name, nodes, graph.start, graph.end, graph.doc, flow), unheard


def choose_task(past: PastRun, node: Node, task: str | None) -> Record:
    """The newest attempt of the task that is to be done again.

    Args:
        past: The earlier run.
        node: The step.
        task: The task's id; None for the newest that failed, else the newest.

    Raises:
        NotFoundError: There is no such task, or it has not ended.
        UsageError: The step takes other inputs now than it did then.
    """
    newest: dict[str, Record] = {}
    for record in past.records(ref for ref in past.attempts() if ref.step == node.name):
        known = newest.get(record.ref.task)
        if known is None or known.ref.attempt < record.ref.attempt:
            newest[record.ref.task] = record
    if not newest:
        raise NotFoundError(
            f"Run {past.pathspec} in {past.store.url} has no task of step {node.name} that has ended.",
            "Name a run that came to that step: spin RUN/STEP",
        )
    if task is not None and task not in newest:
        names = sorted(newest, key=lambda name: (len(name), name))
        more = ", …" if len(names) > _MOST_NAMED else ""
        raise NotFoundError(
            f"Run {past.pathspec} has no task {task} of step {node.name} that has ended.",
            f"There are {', '.join(names[:_MOST_NAMED])}{more}",
        )
    chosen = newest[task] if task is not None else max(newest.values(), key=_likelihood)
    if len(chosen.inputs) > 1 and not node.takes_inputs and node.kind != CALL:
        raise UsageError(
            f"Step {node.name} was a join in run {past.pathspec} and is none now.",
            "Run the flow anew: run",
        )
    return chosen


def _likelihood(record: Record) -> tuple[bool, float, int, str]:
    """People look for what failed, not for what was stopped because of that; of several for the last."""
    failed = record.failure is not None and record.failure.reason not in STOPPED
    return failed, record.ended, len(record.ref.task), record.ref.task
