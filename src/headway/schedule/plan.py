"""What the scheduler must know of a flow: its shape, and how often each step may be tried again."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from headway.store.records import (
    CONFIGURATION,
    FOR_GOOD,
    INFRASTRUCTURE,
    OUT_OF_MEMORY,
    RESOURCES,
    USER,
    Failure,
)

#: The account of failures for want of memory where memory grows.
MEMORY = "memory"

#: Retries per failure class where the policy says nothing.
DEFAULT_RETRIES: Mapping[str, int] = {USER: 0, INFRASTRUCTURE: 5, CONFIGURATION: 0}

#: An attempt that had run for so many seconds before the infrastructure ended it got somewhere: with checkpoints
#: a task may need many such. What is counted are failures that come one soon after the other.
LONG_RUN_SECONDS = 3600.0

#: How often a fallback is tried: it runs none of the person's code, so what fails is what is around it.
FALLBACK_ATTEMPTS = 3

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0


class PlanNode(Struct, frozen=True):
    """One step of the plan.

    Attributes:
        name: The step's name.
        targets: Every step that it may lead to; which of them, and how, its transition says at run time.
        join: Whether it collects the tasks of a split.
        end: Whether the run succeeds when it does.
        gang: Whether its tasks run on several nodes at once.
        nodes: On how many, where the transition that leads to it does not say; None where it must.
        least: The fewest that may be.
        needs: For a pipeline's call: the calls that must have succeeded before it may start.
        worker: The id of a gang's further tasks, made from ``control`` (the id of rank 0's), ``rank`` and
            ``worker`` (their number among the workers, from 0).
    """

    name: str
    targets: tuple[str, ...] = ()
    join: bool = False
    end: bool = False
    gang: bool = False
    nodes: int | None = None
    least: int = 1
    worker: str = "{control}_node_{rank}"
    needs: tuple[str, ...] = ()


class Plan(Struct, frozen=True):
    """The steps by name, and which of them is first.

    Attributes:
        start: The first step; of a pipeline the first call.
        nodes: The steps by name.
        calls: Whether they are a pipeline's calls: each starts once those that it needs have succeeded, and
            the run succeeds when all have.

    Raises:
        ValueError: The start, a target or a need is not among the nodes, or no node is an end.
    """

    start: str
    nodes: Mapping[str, PlanNode]
    calls: bool = False

    def __post_init__(self) -> None:
        named = {
            self.start,
            *(other for node in self.nodes.values() for other in (*node.targets, *node.needs)),
        }
        if missing := sorted(named - self.nodes.keys()):
            raise ValueError(f"the plan names steps that it does not hold: {', '.join(missing)}")
        if not any(node.end for node in self.nodes.values()):
            raise ValueError("the plan has no end step")

    @classmethod
    def of(cls, start: str, nodes: Iterable[PlanNode], *, calls: bool = False) -> "Plan":
        """The plan of these nodes."""
        return cls(start, {node.name: node for node in nodes}, calls)


class StepPolicy(Struct, frozen=True):
    """How often, and how soon, a step's tasks are tried again.

    Attributes:
        retries: How many retries each failure class allows a task; ``@retry(times=…)`` is the user
            class. A class not named has its default: none, 5 for infrastructure, for resources as many
            as for the user. Each is counted apart: what one class spends is left to the others. Of
            infrastructure failures those count that follow each other within an hour of running.
        delay: Seconds to wait before a retry, infrastructure failures excepted.
        fallback: Whether a fallback takes the task over once a budget is spent (``@catch``).
        memory_retries: How often a task that ran out of memory is tried again with more of it, in a
            budget of its own (``@retry(on_oom=…)``); 0 lets it spend the class's.
    """

    retries: Mapping[str, int] = field(default_factory=dict)
    delay: float = 0.0
    fallback: bool = False
    memory_retries: int = 0

    def pool(self, failure: Failure) -> str:
        """The account that a failure spends: its class's, or the one for memory; one without any for what is for good."""
        if failure.reason == FOR_GOOD:
            return FOR_GOOD
        if failure.reason == OUT_OF_MEMORY and self.memory_retries:
            return MEMORY
        return failure.kind

    def budget(self, pool: str) -> int:
        """How many failures of this pool are followed by a retry; none for a class not known here."""
        if pool == MEMORY:
            return self.memory_retries
        if pool == RESOURCES and RESOURCES not in self.retries:
            return self.budget(USER)
        return self.retries.get(pool, DEFAULT_RETRIES.get(pool, 0))

    def is_last(self, spent: Mapping[str, int]) -> bool:
        """Whether the next failure of the task's own code is final, after these failures by pool.

        An exception for want of memory is taken for one of the code here: it is caught as well.
        Only a step with a fallback is told so: its attempt then makes of an exception what the fallback would.
        """
        return self.fallback and spent.get(USER, 0) >= self.budget(USER)

    def retry_delay(self, pool: str, earlier: int) -> float:
        """Seconds to wait before the retry that follows a failure.

        Args:
            pool: The account that the failure spent.
            earlier: How many failures of its pool the task had before this one.
        """
        if pool == MEMORY:
            # What was missing is there at once.
            return 0.0
        return infrastructure_delay(earlier) if pool == INFRASTRUCTURE else self.delay


def begins_anew(pool: str, ran: float) -> bool:
    """Whether what was spent of this account before counts no more, for the attempt had run so many seconds."""
    return pool == INFRASTRUCTURE and ran >= LONG_RUN_SECONDS


def infrastructure_delay(earlier: int) -> float:
    """Seconds to back off: 1, 2, 4, … at most 60. The launcher adds the jitter."""
    # The exponent is bounded too: a budget of thousands must not overflow a float.
    return min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(earlier, 16))
