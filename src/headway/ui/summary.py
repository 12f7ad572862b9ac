"""Where a run stands, in a few lines: what a long run tells every few minutes."""

from collections.abc import Iterator, Mapping, Sequence

from headway.runtime.limits import duration
from headway.schedule.tasks import StepCounts

#: Steps under way that get a line, and reasons of one step; more would not be read.
_STEPS, _REASONS = 20, 3
_MINUTE = 60


def summary(
    counts: Mapping[str, StepCounts],
    elapsed: float,
    longest: Mapping[str, float],
    reasons: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """The lines.

    Args:
        counts: The tasks of every step, in the flow's order.
        elapsed: Seconds since the run began here.
        longest: By step, for how many seconds the task runs that has run the longest.
        reasons: By step, why tasks wait, the newest last; under "" what the whole run waits for.
    """
    known = sum(sum(each) for each in counts.values())
    done = sum(each.succeeded for each in counts.values())
    yield f"After {_minutes(elapsed)}: {done} of {known} tasks known so far are done."
    active = [step for step, each in counts.items() if each.waiting or each.running or each.retrying]
    for step in active[:_STEPS]:
        yield f"    {step}: {', '.join(_figures(counts[step], longest.get(step, 0.0)))}"
        told = list(dict.fromkeys(reasons.get(step, ())))
        for reason in told[-_REASONS:]:
            yield f"        Waiting: {reason}"
        if len(told) > _REASONS:
            yield f"        (earlier ones: {len(told) - _REASONS})"
    if len(active) > _STEPS:
        yield f"    and {len(active) - _STEPS} more steps are under way"
    idle = [step for step, each in counts.items() if not sum(each)]
    if idle:
        more = f" and {len(idle) - _STEPS} more" if len(idle) > _STEPS else ""
        yield f"    Not begun: {', '.join(idle[:_STEPS])}{more}"
    for reason in dict.fromkeys(reasons.get("", ())):
        yield f"    The run waits: {reason}"


def _figures(counts: StepCounts, longest: float) -> Iterator[str]:
    if counts.running:
        since = f" (the longest for {_minutes(longest)})" if longest >= _MINUTE else ""
        yield f"{counts.running} running{since}"
    for number, words in (
        (counts.waiting, "waiting to start"),
        (counts.retrying, "to be tried again"),
        (counts.succeeded, "done"),
        (counts.failed, "failed"),
        (counts.cancelled, "stopped"),
    ):
        if number:
            yield f"{number} {words}"


def _minutes(seconds: float) -> str:
    return duration(seconds // _MINUTE * _MINUTE)
