"""The plan refuses what it cannot mean; policies say which budget a failure spends."""

import pytest

from headway.schedule import Plan, PlanNode, StepPolicy
from headway.schedule.plan import MEMORY, infrastructure_delay
from headway.store.records import (
    CONFIGURATION,
    INFRASTRUCTURE,
    OUT_OF_MEMORY,
    RESOURCES,
    USER,
    Failure,
)


def failure(kind: str, reason: str = "Exit") -> Failure:
    return Failure(kind, reason, "it broke")


@pytest.mark.parametrize(
    ("start", "nodes", "words"),
    [
        ("begin", [PlanNode("start", end=True)], "begin"),
        ("start", [PlanNode("start", ("nowhere",)), PlanNode("end", end=True)], "nowhere"),
        ("start", [PlanNode("start", ("start",))], "no end"),
    ],
)
def test_a_plan_with_a_hole_is_refused(start: str, nodes: list[PlanNode], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Plan.of(start, nodes)


def test_budgets_where_nothing_is_said() -> None:
    policy = StepPolicy()
    budgets = {
        kind: policy.budget(policy.pool(failure(kind)))
        for kind in (USER, RESOURCES, INFRASTRUCTURE, CONFIGURATION)
    }
    assert budgets == {USER: 0, RESOURCES: 0, INFRASTRUCTURE: 5, CONFIGURATION: 0}


@pytest.mark.parametrize(("retries", "budget"), [({USER: 3}, 3), ({USER: 3, RESOURCES: 1}, 1), ({}, 0)])
def test_resources_have_an_account_of_their_own_as_large_as_the_users(
    retries: dict[str, int], budget: int
) -> None:
    policy = StepPolicy(retries)
    assert policy.pool(failure(RESOURCES)) == RESOURCES
    assert policy.budget(RESOURCES) == budget


def test_memory_that_grows_has_a_budget_of_its_own_and_no_wait() -> None:
    policy = StepPolicy({USER: 3}, delay=120, memory_retries=2)
    pool = policy.pool(failure(RESOURCES, OUT_OF_MEMORY))
    assert (pool, policy.budget(pool), policy.retry_delay(pool, 1)) == (MEMORY, 2, 0)
    assert policy.pool(failure(RESOURCES, "DiskFull")) == RESOURCES
    assert StepPolicy({USER: 3}).pool(failure(RESOURCES, OUT_OF_MEMORY)) == RESOURCES


def test_only_infrastructure_backs_off() -> None:
    policy = StepPolicy(delay=120)
    assert [policy.retry_delay(kind, 3) for kind in (USER, RESOURCES, CONFIGURATION)] == [120, 120, 120]
    assert policy.retry_delay(INFRASTRUCTURE, 3) == 8


def test_the_back_off_doubles_up_to_a_minute_and_never_overflows() -> None:
    assert [infrastructure_delay(n) for n in (0, 1, 2, 5, 6, 10**6)] == [1, 2, 4, 32, 60, 60]
