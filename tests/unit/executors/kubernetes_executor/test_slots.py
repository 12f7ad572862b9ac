"""One limit of pods over all Jobs of a run."""

from hypothesis import given, settings
from hypothesis import strategies as st

from headway.executors.kubernetes.slots import Demand, allot

DEMANDS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12).map(
    lambda pairs: [Demand(f"job-{n}", *pair) for n, pair in enumerate(pairs)]
)
LIMITS = st.integers(1, 60)


def in_use(demand: Demand, parallelism: int) -> int:
    """The pods that a Job can have at a time: never more than it has attempts left."""
    return min(demand.unfinished, parallelism)


def test_examples() -> None:
    assert allot(5, []) == {}
    assert allot(5, [Demand("a", 3, 0)]) == {"a": 3}
    assert allot(5, [Demand("a", 9, 0)]) == {"a": 5}
    assert allot(5, [Demand("a", 3, 3), Demand("b", 9, 0), Demand("c", 1, 0)]) == {"b": 2}
    assert allot(5, [Demand("a", 1, 5), Demand("b", 9, 2)]) == {"b": 4}, "what ended of a has left its room"
    assert allot(5, [Demand("a", 0, 5), Demand("b", 2, 2)]) == {}


def test_a_gang_has_all_its_pods_or_none() -> None:
    assert allot(5, [Demand("a", 3, 3), Demand("gang", 3, 0, whole=True)]) == {}
    assert allot(5, [Demand("a", 2, 2), Demand("gang", 3, 0, whole=True)]) == {"gang": 3}
    waiting = [Demand("a", 3, 3), Demand("gang", 3, 0, whole=True), Demand("b", 1, 0)]
    assert allot(5, waiting) == {}, "what comes later does not take the room that it waits for"
    assert allot(2, [Demand("gang", 3, 0, whole=True)]) == {"gang": 3}, "larger than the limit: alone"
    assert allot(2, [Demand("a", 1, 1), Demand("gang", 3, 0, whole=True)]) == {}
    assert allot(5, [Demand("gang", 2, 3, whole=True), Demand("b", 9, 0)]) == {"b": 3}


@given(LIMITS, DEMANDS)
@settings(max_examples=100, deadline=None)
def test_the_rules(limit: int, demands: list[Demand]) -> None:
    more = allot(limit, demands)
    now = sum(in_use(each, each.parallelism) for each in demands)
    after = {each.job: more.get(each.job, each.parallelism) for each in demands}
    total = sum(in_use(each, after[each.job]) for each in demands)
    assert total <= max(limit, now), "never over the limit"
    for each in demands:
        assert after[each.job] >= each.parallelism, "nothing is taken away"
        assert each.job not in more or more[each.job] <= each.unfinished, "nobody gets what it cannot use"
        assert each.job not in more or more[each.job] > each.parallelism, "only what changes is said"
    hungry = [each for each in demands if in_use(each, after[each.job]) < each.unfinished]
    if hungry and now <= limit:
        assert total == limit, "no room is left while somebody waits for it"
        first = demands.index(hungry[0])
        assert not any(each.job in more for each in demands[first + 1 :]), "first come, first served"


@given(LIMITS, DEMANDS)
@settings(max_examples=50, deadline=None)
def test_what_was_given_leaves_nothing_to_give(limit: int, demands: list[Demand]) -> None:
    more = allot(limit, demands)
    after = [Demand(each.job, each.unfinished, more.get(each.job, each.parallelism)) for each in demands]
    assert allot(limit, after) == {}
