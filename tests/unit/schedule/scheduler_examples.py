"""Small plans and short names for events, so that an example reads in one glance."""

from headway.schedule import (
    AttemptFailed,
    AttemptSucceeded,
    Plan,
    PlanNode,
    RunStarted,
    Scheduler,
    StepPolicy,
)
from headway.store.records import (
    USER,
    AttemptRef,
    Failure,
    Transition,
)

PARAMETERS = AttemptRef("_parameters", "0", 0)


def plan(*edges: str) -> Plan:
    """A plan from "a > b c" lines; a name with * is a join; the step without targets is the end."""
    nodes = []
    for edge in edges:
        name, _, targets = edge.partition(" > ")
        names = tuple(target.rstrip("*") for target in targets.split())
        nodes.append(PlanNode(name.rstrip("*"), names, name.endswith("*"), end=not names))
    return Plan.of(nodes[0].name, nodes)


LINE = plan("start > end", "end")
WIDE = plan("start > body", "body > join", "join* > end", "end")
CHAIN = plan("start > a", "a > b", "b > join", "join* > end", "end")
FORK = plan("start > left right", "left > join", "right > join", "join* > end", "end")


def begin(plan: Plan, policy: StepPolicy | None = None) -> Scheduler:
    scheduler = Scheduler(plan, dict.fromkeys(plan.nodes, policy or StepPolicy()))
    scheduler.handle(RunStarted())
    return scheduler


def ref(name: str, attempt: int = 0) -> AttemptRef:
    step, _, task = name.partition("/")
    return AttemptRef(step, task, attempt)


def ok(name: str, *targets: str, splits: int | None = None, attempt: int = 0) -> AttemptSucceeded:
    transition = Transition(targets, "xs" if splits is not None else None, splits) if targets else None
    return AttemptSucceeded(ref(name, attempt), transition)


def bad(name: str, kind: str = USER, attempt: int = 0, reason: str = "Exit") -> AttemptFailed:
    return AttemptFailed(ref(name, attempt), Failure(kind, reason, "it broke", "mend it"))


def wide(splits: int, policy: StepPolicy | None = None) -> Scheduler:
    """A foreach whose tasks 2, 3, … run."""
    scheduler = begin(WIDE, policy)
    scheduler.handle(ok("start/1", "body", splits=splits))
    return scheduler
