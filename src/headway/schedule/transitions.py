"""What a task's transition leads to: a pure function of the plan, the task's frames and the transition.

A task's frames are its place in the fan-out. A split pushes a frame, a linear transition and a
switch keep them, a join pops the innermost one.
"""

from msgspec import Struct

from headway.flow.graph import PARALLEL_VARIABLE
from headway.schedule.plan import Plan
from headway.store.records import AttemptRef, FrameTuple, Transition

Frames = tuple[FrameTuple, ...]

_HINT = "Whichever way a step's code takes, it has to end with the self.next call that its source shows."


class Start(Struct, frozen=True):
    """Tasks of one step that are ready: one for each index.

    Attributes:
        step: The step.
        frames: The frames that they share.
        indices: Their own index each.
        ranks: Whether the indices are the ranks of one gang.
    """

    step: str
    frames: Frames
    indices: range
    ranks: bool = False


class Arrival(Struct, frozen=True):
    """A task has come to the join of its split.

    Attributes:
        join: The join step.
        split: (step, task) that fanned out.
        index: Which of the siblings this is.
        count: How many siblings there are.
        outer: The frames that the join's own task stands in.
    """

    join: str
    split: tuple[str, str]
    index: int
    count: int
    outer: Frames

    def start(self) -> Start:
        """The join's own task, once all siblings have come."""
        return Start(self.join, self.outer, _own_index(self.outer))


class TransitionError(ValueError):
    """The transition leads where the plan has no way.

    Args:
        message: How, beginning with "it".
        hint: What to do about it.
    """

    def __init__(self, message: str, hint: str = _HINT) -> None:
        super().__init__(message)
        self.hint = hint


def advance(
    plan: Plan, ref: AttemptRef, frames: Frames, transition: Transition | None
) -> list[Start | Arrival]:
    """What follows the success of an attempt.

    Args:
        plan: The flow's shape.
        ref: The attempt that succeeded.
        frames: The frames of its task, each with the task's own index.
        transition: What its ``self.next`` said.

    Returns:
        One item for each target; nothing for an end step.

    Raises:
        TransitionError: The plan has no such way.
    """
    node = plan.nodes[ref.step]
    if node.end or plan.calls:
        # What follows a call is for all its siblings to say: see headway.schedule.calls.
        return []
    transition = _checked(node.targets, transition)
    targets = transition.targets
    if transition.splits is not None:
        frame = (ref.step, ref.task, 0, transition.splits, transition.foreach)
        ranks = transition.foreach == PARALLEL_VARIABLE
        target = _no_join(plan, targets[0]) if ranks else _sized(plan, _no_join(plan, targets[0]))
        if ranks:
            _check_ranks(plan, target, transition.splits)
        return [Start(target, (*frames, frame), range(transition.splits), ranks)]
    if len(targets) > 1:
        count = len(targets)
        return [
            Start(
                _sized(plan, _no_join(plan, target)),
                (*frames, (ref.step, ref.task, i, count, None)),
                range(i, i + 1),
            )
            for i, target in enumerate(targets)
        ]
    if plan.nodes[targets[0]].join:
        return [_arrival(targets[0], frames)]
    return [Start(_sized(plan, targets[0]), frames, _own_index(frames))]


def at_index(frames: Frames, index: int) -> Frames:
    """The frames of one sibling: those given, with its own index in the innermost."""
    if not frames or frames[-1][2] == index:
        return frames
    split, task, _, count, variable = frames[-1]
    return (*frames[:-1], (split, task, index, count, variable))


def _own_index(frames: Frames) -> range:
    """The one index of a task that stays where it is in the fan-out; 0 outside every split."""
    index = frames[-1][2] if frames else 0
    return range(index, index + 1)


def _arrival(join: str, frames: Frames) -> Arrival:
    if not frames:
        raise TransitionError(f"it leads to the join {join}, but no split is open")
    split, task, index, count, _ = frames[-1]
    return Arrival(join, (split, task), index, count, frames[:-1])


def _checked(allowed: tuple[str, ...], transition: Transition | None) -> Transition:
    if transition is None or not transition.targets:
        raise TransitionError("it ended without saying which step comes next")
    targets = transition.targets
    if unknown := [target for target in targets if target not in allowed]:
        raise TransitionError(
            f"it leads to {', '.join(unknown)}, where the flow's graph has {', '.join(allowed) or 'nothing'}"
        )
    if len(set(targets)) != len(targets):
        raise TransitionError(f"it names a step twice: {', '.join(targets)}")
    if transition.splits is not None and len(targets) > 1:
        raise TransitionError(f"a foreach leads to one step, not to {', '.join(targets)}")
    if transition.splits is not None and transition.splits < 1:
        raise TransitionError(f"its foreach over {transition.foreach} has nothing to go over")
    if transition.splits is None and transition.foreach is not None:
        raise TransitionError(f"its foreach over {transition.foreach} does not say how many splits there are")
    return transition


def _sized(plan: Plan, target: str) -> str:
    node = plan.nodes[target]
    if node.gang and node.nodes is None:
        raise TransitionError(f"it leads to the @parallel step {target} without saying on how many nodes")
    return target


def _check_ranks(plan: Plan, target: str, ranks: int) -> None:
    node = plan.nodes[target]
    if not node.gang:
        raise TransitionError(f"it leads to {target} with num_parallel, but {target} is not @parallel")
    if ranks < node.least:
        raise TransitionError(
            f"it leads to {target} with num_parallel={ranks}, and a gang of pods has at least {node.least}",
            "Ask for more nodes, or run the step without @kubernetes.",
        )


def _no_join(plan: Plan, target: str) -> str:
    if plan.nodes[target].join:
        raise TransitionError(
            f"a split leads straight to the join {target}; a step has to stand between them"
        )
    return target
