"""``attach``: from a run whose launcher died to one that this launcher drives on."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from headway.errors import UsageError
from headway.flow.graph import Graph
from headway.launch.journal import Decision, Journal, first_window
from headway.launch.lease import LeaseHeldError, LeaseLostError, read_lease
from headway.launch.past import PastRun, differing_steps
from headway.launch.standing import Standing, replay
from headway.schedule.instructions import INTERRUPTED
from headway.schedule.plan import Plan, StepPolicy
from headway.store.base import ObjectStore
from headway.store.records import FAILED, SUCCEEDED, AttemptRef

#: What the first launcher writes down of how it was started, and what a later one does.
LAUNCHED, ATTACHED = "launched", "attached"

_HOW = {SUCCEEDED: "succeeded", FAILED: "failed", INTERRUPTED: "was interrupted"}

#: Windows that the dead launcher may still have had under way.
_TRIES = 3


class Launched(Struct, frozen=True):
    """How a run was started, as far as only its launcher knew.

    Attributes:
        namespace: The user namespace.
        max_workers: ``--max-workers``.
        max_num_splits: ``--max-num-splits``.
        max_log_size: ``--max-log-size``.
        forward_credentials: ``--forward-credentials``.
        overrides: ``--override``, as typed.
        branch: ``--branch``.
        production: ``--production``.
    """

    namespace: str | None = None
    max_workers: int | None = None
    max_num_splits: int = 100
    max_log_size: int = 10
    forward_credentials: bool = False
    overrides: tuple[str, ...] = ()
    branch: str | None = None
    production: bool = False

    def decision(self) -> Decision:
        """For the journal."""
        return Decision(LAUNCHED, asdict(self))

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Launched":
        """From the journal; what a newer version added is ignored."""
        names = set(cls.__struct_fields__)
        known = {name: value for name, value in data.items() if name in names}
        return cls(**{**known, "overrides": tuple(known.get("overrides", ()))})


class TakenOver(Struct, frozen=True):
    """A run in another launcher's hands.

    Attributes:
        journal: Its journal, ready to go on.
        standing: Where it stands.
        recorded: The attempts that have a record.
    """

    journal: Journal
    standing: Standing
    recorded: frozenset[AttemptRef]


def how_launched(past: PastRun) -> Launched:
    """How the run was started; as by default where nothing tells."""
    for entry in first_window(past.store, past.flow, past.run):
        if isinstance(entry, Decision) and entry.what == LAUNCHED:
            return Launched.of(entry.data)
    return Launched()


def check_attachable(past: PastRun, now_graph: Graph, clock: Callable[[], float] = time.time) -> None:
    """Refuse a run that there is nothing to attach to.

    Args:
        past: The run.
        now_graph: The graph of the flow as its file has it now; what runs on this machine is that.
        clock: Seconds since the epoch.

    Raises:
        UsageError: It has ended, or the flow is another one by now.
        LeaseHeldError: A launcher drives it.
    """
    end = past.end()
    if end is not None:
        raise UsageError(
            f"Run {past.pathspec} has ended: it {_HOW[end.outcome]}.",
            "There is nothing left to do; `dump` and `logs` show what came of it."
            if end.outcome == SUCCEEDED
            else f"Type `resume --origin-run-id {past.run}` to run what it has not done.",
        )
    past.parameters()
    lease = read_lease(past.store, past.flow, past.run)
    now = clock()
    if lease is not None and lease.seems_held(now):
        raise LeaseHeldError(
            f"Run {past.pathspec} is driven by another launcher: {lease.owner}.",
            f"If that launcher is dead, its lease runs out in {max(1, round(lease.expires - now))} seconds: "
            f"attach then. If it lives, stop it first (kill {lease.pid} on {lease.host}).",
        )
    graph = past.graph
    changed = differing_steps(graph, now_graph)
    if changed and any(node.decorator("kubernetes") is None for node in graph):
        raise UsageError(
            f"The flow has changed since run {past.pathspec} started: {', '.join(changed)} lead elsewhere now, "
            "and steps that run on this machine run what its file says.",
            f"Bring the file back as it was, or type `resume --origin-run-id {past.run}` to go on with the new one.",
        )


def take_over(
    store: ObjectStore,
    past: PastRun,
    plan: Plan,
    policies: Mapping[str, StepPolicy],
    holder: str,
) -> TakenOver:
    """Fence the run off from a launcher that is slow rather than dead, and find out where it stands.

    The lease must be held already.

    Raises:
        LeaseLostError: The other launcher lives, and writes faster than it can be fenced off.
        UsageError: The journal does not fit the plan.
        StoreError: The datastore failed.
    """
    for left in reversed(range(_TRIES)):
        journal, entries = Journal.reopen(store, past.flow, past.run, holder)
        journal.append(Decision(ATTACHED, {"holder": holder}))
        try:
            journal.flush()
        except LeaseLostError:
            if not left:
                raise
            continue
        break
    # Only now: what was committed before the fence is seen.
    recorded = frozenset(past.attempts())
    return TakenOver(journal, replay(plan, policies, entries), recorded)
