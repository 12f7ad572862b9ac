"""Artifacts that Metaflow stores with every task, made here of what the records of task and run say.

They are found under their names, and listed beside those that a person made: of them ``name`` alone is public.
"""

from typing import Any, Callable, Dict, Iterable, List, Optional

from headway.client.errors import TaskFailedError
from headway.client.facts import exception_of, went_well
from headway.client.fanout import first_of_foreach, item_of
from headway.client.run_data import PARAMETERS
from headway.client.task_data import TaskData
from headway.flow.frames import ForeachFrame, variable_of
from headway.store.artifacts import INCLUDED
from headway.store.records import SUCCEEDED, UNPERSISTED, ArtifactRef, AttemptRef, Record


def is_told(task: TaskData, name: object) -> bool:
    """Whether it is one of them; a task has them once it has ended."""
    return name in _MAKERS and task.record() is not None


def told_names(task: TaskData) -> Iterable[str]:
    """The names of all that the task has of them: none where nothing that it made was to be kept."""
    record = task.record()
    return () if record is None or UNPERSISTED in record.metadata else _MAKERS


def told(task: TaskData, name: str) -> Any:
    """The value of one of them."""
    record = task.record()
    return None if record is None else _MAKERS[name](task, record)


def told_ref(task: TaskData, name: str) -> ArtifactRef:
    """What stands for where it is: it is not stored, so it has no content's hash and no size."""
    return ArtifactRef("", 0, type(told(task, name)).__name__)


def _frames(task: TaskData, record: Record) -> List[ForeachFrame]:
    return [
        ForeachFrame(
            first_of_foreach(task.run, frame),
            variable_of(frame[4]) or "",
            frame[3],
            frame[2],
            item_of(task.run, record, frame),
        )
        for frame in record.frames
        if frame[4] is not None
    ]


def _exception(task: TaskData, record: Record) -> Optional[TaskFailedError]:
    return exception_of(record)


def _rounds(task: TaskData, record: Record) -> List[int]:
    """Of a step that leads to itself, which of its rounds this was, from 0; of any other nothing."""
    node = task.run.graph.nodes.get(task.step)
    if node is None or node.name not in node.targets:
        return []
    before, earlier = 0, record.inputs[:1]
    while earlier and earlier[0].step == task.step:
        before += 1
        made = task.run.record_of(earlier[0])
        earlier = made.inputs[:1] if made is not None else ()
    return [before]


def _graph_info(task: TaskData, record: Record) -> Dict[str, Any]:
    from headway.flow.graph_info import describe_graph  # for those who ask for it only

    run = task.run
    given = run.record_of(AttemptRef(PARAMETERS, "0", 0))
    stored = given.artifacts if given is not None else {}
    parameters = run.record.parameters
    return describe_graph(
        run.graph,
        parameters={
            name: "IncludeFile" if ref.type == INCLUDED else "Parameter"
            for name, ref in stored.items()
            if name in parameters
        },
        # Configurations are among these: a run keeps their values as plain data.
        constants={name: ref.type for name, ref in stored.items() if name not in parameters},
    )


_MAKERS: Dict[str, Callable[[TaskData, Record], Any]] = {
    "name": lambda task, record: task.run.flow,
    "_configs_processed": lambda task, record: True,
    "_current_step": lambda task, record: task.step,
    "_exception": _exception,
    "_foreach_stack": _frames,
    "_foreach_num_splits": lambda task, record: record.transition.splits if record.transition else None,
    "_foreach_var": lambda task, record: (
        variable_of(record.transition.foreach) if record.transition else None
    ),
    "_graph_info": _graph_info,
    "_iteration_stack": _rounds,
    "_success": lambda task, record: went_well(record),
    "_task_ok": lambda task, record: record.outcome == SUCCEEDED,
    "_transition": lambda task, record: (
        (list(record.transition.targets), variable_of(record.transition.foreach))
        if record.transition
        else None
    ),
}
