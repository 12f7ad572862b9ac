"""A journal that ends anywhere, replayed and gone on with, leads to the end that the run would have had."""

from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_flows import Flow, Label, expected, flows
from simulation import Simulation

from headway.launch.journal import Decision, decode_entry, encode_entry
from headway.launch.standing import replay
from headway.schedule import (
    AttemptFailed,
    AttemptSucceeded,
    Event,
    Instruction,
    RetryDue,
    RunEnded,
    ScheduleRetry,
    StartBatch,
    StepPolicy,
)
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, USER, AttemptRef

seeds = st.integers(0, 2**32)
thorough = settings(derandomize=True, deadline=None, max_examples=60)
pytestmark = pytest.mark.budget(20)

#: Failures are retried as often as it takes, so that every run ends with success.
PATIENT = StepPolicy({USER: 10**6, INFRASTRUCTURE: 10**6, CONFIGURATION: 10**6})


def written(events: list[Event]) -> list[Event | Decision]:
    """The events as they come back from the journal."""
    return [decode_entry(encode_entry(event)) for event in events]


def whole_run(flow: Flow, policy: StepPolicy, seed: int, failing: int, stopping: int = 0) -> Simulation:
    assume(len(expected(flow)) <= 60)
    return Simulation(flow, dict.fromkeys(flow.nodes, policy), Random(seed), failing, stopping).run()


def note(labels: dict[str, Label], instructions: list[Instruction]) -> None:
    """Tell which task is which."""
    for batch in instructions:
        if not isinstance(batch, StartBatch):
            continue
        for spec in batch.tasks:
            outer = tuple(frame[2] for frame in batch.frames[:-1])
            where = (batch.step, (*outer, spec.index) if batch.frames else ())
            if not spec.attempt:
                labels[spec.task] = (*where, sum(known[:2] == where for known in labels.values()))


@thorough
@given(
    flows(), st.builds(StepPolicy, st.just({USER: 2}), st.just(0.0), st.booleans()), seeds, st.floats(0, 1)
)
def test_wherever_it_is_cut_the_rest_leads_to_the_same_state(
    flow: Flow, policy: StepPolicy, seed: int, where: float
) -> None:
    run = whole_run(flow, policy, seed, failing=15, stopping=5)
    events = [event for event, _ in run.log]
    cut = round(where * len(events))
    standing = replay(flow.plan, run.policies, [Decision("launched"), *written(events[:cut])])
    for event in events[cut:]:
        standing.scheduler.handle(event)
    assert standing.scheduler.outcome == run.scheduler.outcome
    assert standing.scheduler.winners() == run.scheduler.winners()
    assert standing.scheduler.counts() == run.scheduler.counts()


@thorough
@given(flows(), seeds, st.floats(0, 1), st.integers(0, 3))
def test_what_is_left_open_is_named_so_that_another_launcher_can_end_it(
    flow: Flow, seed: int, where: float, forgotten: int
) -> None:
    """Also where the last events never reached the journal: their records tell them again."""
    run = whole_run(flow, PATIENT, seed, failing=15)
    events = [event for event, _ in run.log]
    cut = max(1, round(where * len(events)))
    kept = events[: max(1, cut - forgotten)]
    standing = replay(flow.plan, run.policies, written(kept))
    scheduler = standing.scheduler
    known = {
        event.ref: event for event in events[:cut] if isinstance(event, (AttemptSucceeded, AttemptFailed))
    }
    labels: dict[str, Label] = {}
    for _, instructions in run.log[: len(kept)]:
        note(labels, instructions)
    open_refs = [ref for each in standing.unfinished for ref in each.refs]
    assert sorted(open_refs) == sorted(scheduler.active())
    assert set(standing.waits) == set(scheduler.retrying())
    assert (standing.ended is None) == (scheduler.outcome is None)
    # A launcher that takes over: what has a record is told, what has none succeeds, what waits is due.
    ended: RunEnded | None = standing.ended
    ahead: list[Event] = [known[ref] for ref in open_refs if ref in known]
    todo: list[AttemptRef] = [ref for ref in open_refs if ref not in known]
    waiting = list(standing.waits)
    for _ in range(10_000):
        if ended is not None:
            break
        if ahead:
            event = ahead.pop(0)
        elif waiting:
            event = RetryDue(waiting.pop(0))
        else:
            ref = todo.pop(0)
            event = AttemptSucceeded(ref, flow.transition(labels[ref.task]))
        instructions = scheduler.handle(event)
        note(labels, instructions)
        for instruction in instructions:
            if isinstance(instruction, StartBatch):
                todo += [AttemptRef(instruction.step, spec.task, spec.attempt) for spec in instruction.tasks]
            elif isinstance(instruction, ScheduleRetry):
                waiting.append(instruction.ref)
            elif isinstance(instruction, RunEnded):
                ended = instruction
    assert ended is not None
    assert ended.outcome == "succeeded"
    assert len(scheduler.winners()) == len(run.expected)
