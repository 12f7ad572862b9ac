"""Which batches a run would start, by letting the scheduler itself run through the flow: nothing is executed.

Every attempt is taken to succeed. How wide a foreach is, and which way a switch goes, only a run can know: so
many splits are assumed, and a switch is led to what was not seen yet, as often as that brings something new.
"""

from collections import deque
from collections.abc import Mapping

from headway.flow.graph import FOREACH, PARALLEL, PARALLEL_VARIABLE, SWITCH, Graph, Node
from headway.launch.steps import schedule_plan
from headway.schedule.events import AttemptSucceeded, Event, RunStarted
from headway.schedule.instructions import StartBatch
from headway.schedule.plan import StepPolicy
from headway.schedule.scheduler import Scheduler
from headway.store.records import AttemptRef, Transition

#: Splits of a foreach, and ranks of a gang, whose number only the run decides.
ASSUMED = 2
#: Batches of a step after which a flow that turns back to it is not followed any more.
_ROUNDS = 8


def rehearse(graph: Graph, policies: Mapping[str, StepPolicy]) -> list[StartBatch]:
    """The first batch of each step, in the order in which a run would start them.

    Args:
        graph: The flow's graph.
        policies: How often each step may be tried again.
    """
    first: dict[str, StartBatch] = {}
    known = -1
    while known < len(first) < len(graph.nodes):
        known = len(first)
        _run_through(graph, policies, first)
    return list(first.values())


def _run_through(graph: Graph, policies: Mapping[str, StepPolicy], first: dict[str, StartBatch]) -> None:
    scheduler = Scheduler(schedule_plan(graph), policies)
    events: deque[Event] = deque([RunStarted()])
    rounds: dict[str, int] = {}
    while events:
        for instruction in scheduler.handle(events.popleft()):
            if not isinstance(instruction, StartBatch):
                continue
            step = instruction.step
            first.setdefault(step, instruction)
            rounds[step] = rounds.get(step, 0) + 1
            if rounds[step] > _ROUNDS:
                return
            said = _transition(graph[step], first)
            for task in instruction.tasks:
                events.append(AttemptSucceeded(AttemptRef(step, task.task, task.attempt), said))


def _transition(node: Node, seen: Mapping[str, StartBatch]) -> Transition | None:
    """What the step's ``self.next`` may say."""
    if not node.targets:
        return None
    if node.kind == SWITCH:
        return Transition((next((each for each in node.targets if each not in seen), node.targets[-1]),))
    if node.kind == FOREACH:
        return Transition(node.targets, node.foreach, ASSUMED)
    if node.kind == PARALLEL:
        return Transition(node.targets, PARALLEL_VARIABLE, node.num_parallel or ASSUMED)
    return Transition(node.targets)
