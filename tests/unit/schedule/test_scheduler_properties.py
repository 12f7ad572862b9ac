"""Whatever the order of ends, failures and retries, a run of any flow ends as a simple model predicts."""

from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from random_flows import Flow, Ranked, Spread, expected, flows
from simulation import Simulation

from headway.schedule import Scheduler, StepPolicy
from headway.store.records import CONFIGURATION, INFRASTRUCTURE, RESOURCES, USER

policies = st.builds(
    StepPolicy,
    st.fixed_dictionaries(
        {},
        optional={
            USER: st.integers(0, 3),
            RESOURCES: st.integers(0, 2),
            INFRASTRUCTURE: st.integers(0, 6),
        },
    ),
    st.sampled_from((0.0, 120.0)),
    st.booleans(),
)
seeds = st.integers(0, 2**32)
gangs = st.builds(
    Flow,
    st.tuples(
        st.one_of(
            st.builds(Ranked, st.just("ranked"), st.integers(2, 4)), st.just(Spread("spread", "gang", "join"))
        )
    ),
    st.integers(0, 1000),
)
thorough = settings(derandomize=True, deadline=None, max_examples=100)
pytestmark = pytest.mark.budget(10)


def policies_of(flow: Flow, policy: StepPolicy) -> dict[str, StepPolicy]:
    """The policy for each step; a gang cannot be caught, so one that is has budgets that are never spent instead."""
    never = StepPolicy({USER: 10**6, INFRASTRUCTURE: 10**6, CONFIGURATION: 10**6}, policy.delay)
    return {name: never if node.gang and policy.fallback else policy for name, node in flow.nodes.items()}


def simulate(
    flow: Flow,
    policy: StepPolicy,
    seed: int,
    failing: int = 0,
    stopping: int = 0,
    fallbacks_fail: bool = True,
) -> Simulation:
    assume(len(expected(flow)) <= 80)
    by_step = policies_of(flow, policy)
    simulation = Simulation(flow, by_step, Random(seed), failing, stopping, fallbacks_fail).run()
    simulation.check_end()
    return simulation


@thorough
@given(flows(), seeds)
def test_without_failures_every_task_runs_once_and_joins_read_in_order(flow: Flow, seed: int) -> None:
    simulation = simulate(flow, StepPolicy(), seed)
    assert simulation.scheduler.outcome == "succeeded"


@thorough
@given(flows(), policies, seeds, st.sampled_from((2, 10, 40)))
def test_failures_are_retried_within_the_budgets_and_end_the_run_beyond(
    flow: Flow, policy: StepPolicy, seed: int, failing: int
) -> None:
    simulate(flow, policy, seed, failing)


@thorough
@given(flows(), seeds)
def test_a_run_whose_budgets_are_never_spent_succeeds_whatever_fails(flow: Flow, seed: int) -> None:
    generous = StepPolicy({USER: 10**6, INFRASTRUCTURE: 10**6, CONFIGURATION: 10**6})
    simulation = simulate(flow, generous, seed, failing=30)
    assert simulation.scheduler.outcome == "succeeded"


@thorough
@given(flows(), policies, seeds)
def test_what_is_caught_never_ends_a_run_whose_fallbacks_work(
    flow: Flow, policy: StepPolicy, seed: int
) -> None:
    simulation = simulate(flow, replace(policy, fallback=True), seed, failing=40, fallbacks_fail=False)
    assert simulation.scheduler.outcome == "succeeded"


@thorough
@given(flows(), policies, seeds, st.sampled_from((20, 200)))
def test_a_stop_at_any_moment_ends_the_run_once_nothing_is_active(
    flow: Flow, policy: StepPolicy, seed: int, stopping: int
) -> None:
    simulate(flow, policy, seed, failing=5, stopping=stopping)


@thorough
@given(gangs, policies, seeds, st.sampled_from((30, 60)), st.sampled_from((0, 50)))
def test_ranks_end_together_and_the_first_that_failed_decides(
    flow: Flow, policy: StepPolicy, seed: int, failing: int, stopping: int
) -> None:
    simulate(flow, replace(policy, fallback=False), seed, failing, stopping)


@thorough
@given(flows(), policies, seeds)
def test_the_same_events_give_the_same_instructions(flow: Flow, policy: StepPolicy, seed: int) -> None:
    simulation = simulate(flow, policy, seed, failing=10, stopping=5)
    again = Scheduler(flow.plan, policies_of(flow, policy))
    for event, instructions in simulation.log:
        assert again.handle(event) == instructions
    assert again.winners() == simulation.scheduler.winners()
    assert again.counts() == simulation.scheduler.counts()


@thorough
@given(flows(), policies, seeds)
def test_events_told_again_at_any_later_time_change_nothing(
    flow: Flow, policy: StepPolicy, seed: int
) -> None:
    simulation = simulate(flow, policy, seed, failing=10, stopping=5)
    again = Scheduler(flow.plan, policies_of(flow, policy))
    random = Random(seed)
    told = []
    for event, instructions in simulation.log:
        assert again.handle(event) == instructions
        told.append(event)
        for stale in (event, random.choice(told)):
            before = again.counts(), again.winners(), again.active(), again.retrying()
            assert again.handle(stale) == []
            assert before == (again.counts(), again.winners(), again.active(), again.retrying())
