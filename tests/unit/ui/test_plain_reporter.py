"""A run in plain lines: what goes to which stream, in which words, and what is not said twice."""

import pytest

from headway.executors.base import Output, Started, Waiting
from headway.schedule.tasks import StepCounts
from headway.store.records import (
    CONFIGURATION,
    FAILED,
    INFRASTRUCTURE,
    LOST,
    RESOURCES,
    SUCCEEDED,
    USER,
    AttemptRef,
    Failure,
    Record,
)
from headway.store.run_records import RunEnd, RunRecord
from headway.ui.plain import PlainReporter
from headway.ui.summary import summary

REF = AttemptRef("train", "3", 0)
RUN = RunRecord("Digits", "1732200000000000", "ann", 1.0)


class Screen:
    """What was written: "o" before lines of stdout, "e" before those of stderr, the style behind."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str, *, error: bool = False, style: str = "") -> None:
        self.lines.append(f"{'e' if error else 'o'} {line}" + (f"  ({style})" if style else ""))


class Clock:
    """Seconds, set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reporter(screen: Screen, clock: Clock) -> PlainReporter:
    return PlainReporter(screen, clock=clock)


@pytest.fixture
def quiet(screen: Screen, clock: Clock) -> PlainReporter:
    return PlainReporter(screen, quiet=True, clock=clock)


def failed(kind: str, reason: str, message: str, hint: str = "", outcome: str = FAILED) -> Record:
    return Record(REF, outcome, failure=Failure(kind, reason, message, hint))


def tell_of_a_run(reporter: PlainReporter, clock: Clock) -> None:
    """A run with one of everything."""
    reporter.run_started(RUN)
    reporter.note("Code: 3 files, 2 kB.")
    reporter.fan_out("train", 2)
    facts = {"kubernetes-pod-name": "digits-train-x"}
    reporter.attempt_started(Started(REF, "pod digits-train-x", facts))
    reporter.output(Output(REF, (("stdout", 1.0, "loss 0.5"), ("stderr", 2.0, "a warning"))))
    reporter.waiting(Waiting("train", None, "Unschedulable", "no node takes the pod"))
    reporter.attempt_ended(failed(USER, "Exception", "ValueError: no good", "Look at the data."), 120.0)
    again = REF._replace(attempt=1)
    reporter.attempt_started(Started(again, "pod digits-train-y"))
    reporter.attempt_ended(Record(again, SUCCEEDED), None)
    clock.now += 75.25
    reporter.run_ended(RunEnd(SUCCEEDED, 1.0))


def test_a_whole_run(reporter: PlainReporter, screen: Screen, clock: Clock) -> None:
    tell_of_a_run(reporter, clock)
    assert screen.lines == [
        "e Run 1732200000000000 of Digits starts, for user ann.",
        "e Code: 3 files, 2 kB.",
        "o [train] Foreach yields 2 tasks.",
        "o [train/3] Task is starting.",
        "o [train/3] Running on Kubernetes pod: digits-train-x",
        "o [train/3] loss 0.5",
        "e [train/3] a warning",
        "e [train] Waiting: no node takes the pod  (dim)",
        "e [train/3] Task failed: ValueError: no good  (bad)",
        "e [train/3] Look at the data.",
        "e [train/3] It is tried again in 2 minutes (counted as one of the step's @retry times).",
        "o [train/3] Task is starting (attempt 2).",
        "o [train/3] Task finished successfully.  (good)",
        "e Run 1732200000000000 succeeded in 1 minute, 15.2 seconds.  (good)",
    ]


def test_quietly(quiet: PlainReporter, screen: Screen, clock: Clock) -> None:
    tell_of_a_run(quiet, clock)
    assert screen.lines == [
        "o [train/3] loss 0.5",
        "e [train/3] a warning",
        "e [train/3] Task failed: ValueError: no good  (bad)",
        "e [train/3] Look at the data.",
        "e [train/3] It is tried again in 2 minutes (counted as one of the step's @retry times).",
    ]


@pytest.mark.parametrize(
    ("record", "retry_in", "lines"),
    [
        (
            failed(USER, "Exception", "ValueError: no good"),
            None,
            ["e [train/3] Task failed: ValueError: no good  (bad)"],
        ),
        (
            failed(USER, "Exception", "ValueError: no good"),
            0.0,
            [
                "e [train/3] Task failed: ValueError: no good  (bad)",
                "e [train/3] It is tried again now (counted as one of the step's @retry times).",
            ],
        ),
        (
            failed(INFRASTRUCTURE, "Evicted", "The node was drained.", outcome=LOST),
            1.2,
            [
                "e [train/3] Task was lost: The node was drained.  (bad)",
                (
                    "e [train/3] It is tried again in 1.2 seconds "
                    "(not counted against @retry: the infrastructure failed, not the code)."
                ),
            ],
        ),
        (
            failed(RESOURCES, "OutOfMemory", "Step train ran out of memory.", "Ask for more.", LOST),
            0.0,
            [
                "e [train/3] Task failed: Step train ran out of memory.  (bad)",
                "e [train/3] Ask for more.",
                "e [train/3] It is tried again now (as its @retry says).",
            ],
        ),
        (
            failed(CONFIGURATION, "ImagePullBackOff", "The image cannot be pulled.", outcome=LOST),
            5.0,
            [
                "e [train/3] Task failed: The image cannot be pulled.  (bad)",
                "e [train/3] It is tried again in 5 seconds (a configuration failure).",
            ],
        ),
        (failed("of a newer kind", "X", "It failed."), 5.0, ["e [train/3] Task failed: It failed.  (bad)"]),
        (Record(REF, FAILED), None, ["e [train/3] Task failed: The task failed.  (bad)"]),
        (
            Record(
                REF,
                FAILED,
                failure=Failure(USER, "Exception", "Not found. Looked at:\n  - here", "Try\nthis."),
            ),
            None,
            [
                "e [train/3] Task failed: Not found. Looked at:  (bad)",
                "e [train/3]   - here  (bad)",
                "e [train/3] Try",
                "e [train/3] this.",
            ],
        ),
    ],
)
def test_how_a_failure_is_told(
    reporter: PlainReporter, screen: Screen, record: Record, retry_in: float | None, lines: list[str]
) -> None:
    reporter.attempt_ended(record, retry_in)
    assert screen.lines[: len(lines)] == lines


def test_what_was_stopped_is_no_failure(reporter: PlainReporter, screen: Screen) -> None:
    stopped = failed(USER, "Cancelled", "Stopped: interrupted by Ctrl-C", outcome=LOST)
    reporter.attempt_ended(stopped, None)
    assert screen.lines == [], "it had not begun"
    reporter.attempt_started(Started(REF, "pid 7"))
    reporter.attempt_ended(stopped, None)
    assert screen.lines[-1] == "o [train/3] Task was stopped.  (dim)"


@pytest.mark.parametrize("outcome", ["failed", "interrupted"])
def test_a_run_without_success_is_told_however_quiet(
    quiet: PlainReporter, screen: Screen, outcome: str
) -> None:
    quiet.run_started(RUN)
    quiet.run_ended(RunEnd(outcome, 1.0, message="train/3 failed: ValueError: no good"))
    assert screen.lines == [f"e Run 1732200000000000 {outcome}: train/3 failed: ValueError: no good  (bad)"]


# What stands still


def test_why_something_waits_is_told_when_it_changes(reporter: PlainReporter, screen: Screen) -> None:
    for reason, message in (("A", "first"), ("A", "first, still"), ("B", "second"), ("A", "first again")):
        reporter.waiting(Waiting("train", REF, reason, message))
    assert screen.lines == [
        "e [train/3] Waiting: first  (dim)",
        "e [train/3] Waiting: second  (dim)",
        "e [train/3] Waiting: first again  (dim)",
    ]


def test_it_is_told_again_from_time_to_time(reporter: PlainReporter, screen: Screen, clock: Clock) -> None:
    for _ in range(130):
        reporter.waiting(Waiting("train", REF, "A", "still"))
        clock.now += 1
    assert len(screen.lines) == 3


def test_once_it_goes_on_the_same_reason_is_news(reporter: PlainReporter, screen: Screen) -> None:
    for reason in ("A", "", "A"):
        reporter.waiting(Waiting("train", REF, reason, "why"))
    assert screen.lines == ["e [train/3] Waiting: why  (dim)"] * 2


def test_each_place_waits_for_itself(reporter: PlainReporter, screen: Screen) -> None:
    other = REF._replace(task="4")
    for step, ref in (("train", REF), ("train", other), ("train", None), ("", None)):
        reporter.waiting(Waiting(step, ref, "A", "the API server does not answer"))
    assert screen.lines == [
        "e [train/3] Waiting: the API server does not answer  (dim)",
        "e [train/4] Waiting: the API server does not answer  (dim)",
        "e [train] Waiting: the API server does not answer  (dim)",
        "e Waiting: The API server does not answer  (dim)",
    ]


def test_that_nothing_waits_any_more_is_no_line(reporter: PlainReporter, screen: Screen) -> None:
    reporter.waiting(Waiting("train", None, "", ""))
    assert screen.lines == []


def test_the_end_says_what_to_do_unless_the_task_said_it(reporter: PlainReporter, screen: Screen) -> None:
    reporter.attempt_ended(failed(USER, "Exception", "ValueError: no good", "Look at the data."), None)
    reporter.run_ended(RunEnd(FAILED, 1.0, message="train/3 failed: no good", hint="Look at the data."))
    assert sum("Look at the data." in line for line in screen.lines) == 1
    reporter.run_ended(RunEnd(FAILED, 1.0, message="it leads nowhere", hint="End with self.next."))
    assert "End with self.next." in screen.lines[-1]


def test_a_caught_failure_and_its_fallback_have_words_of_their_own(
    reporter: PlainReporter, screen: Screen
) -> None:
    failure = Failure(RESOURCES, "OutOfMemory", "Out of memory.", "Ask for more.")
    reporter.attempt_caught(Record(REF, FAILED, failure=failure))
    reporter.attempt_started(Started(REF._replace(attempt=1), "pid 7", {"pid": "7", "fallback": "true"}))
    assert screen.lines == [
        "e [train/3] Task failed: Out of memory.  (bad)",
        "e [train/3] Ask for more.",
        "e [train/3] @catch takes over: the run goes on.",
        "o [train/3] Task fallback is starting to handle the failure.",
    ]


def test_tasks_taken_over_are_told_one_by_one_while_they_are_few(
    reporter: PlainReporter, screen: Screen
) -> None:
    taken = [
        Record(AttemptRef("train", str(n), 0), SUCCEEDED, metadata={"origin-task-id": "7"}) for n in range(9)
    ]
    reporter.cloned("17", taken[:1], 1)
    assert screen.lines == ["o [train/0] Taken over from 17/train/7.  (dim)"]
    reporter.cloned("17", taken, 9)
    assert len(screen.lines) == 7
    assert screen.lines[-1] == "o [train] 9 of 9 tasks are taken over from run 17.  (dim)"
    reporter.run_started(RunRecord("Digits", "18", "ann", 1.0, origin="17"))
    assert screen.lines[-1] == "e Run 18 of Digits starts from what run 17 has done, for user ann."


def test_a_run_that_goes_on_here_took_longer_than_it_did_here(
    reporter: PlainReporter, screen: Screen, clock: Clock
) -> None:
    reporter.run_started(RUN._replace(created=1000.0), attached=True)
    clock.now += 1.1
    reporter.run_ended(RunEnd(SUCCEEDED, 1300.5))
    assert screen.lines[1] == (
        f"e Run {RUN.run} succeeded 5 minutes, 0.5 seconds after its start, 1.1 seconds after it went on here.  (good)"
    )


# Where a long run stands


def test_where_a_long_run_stands(reporter: PlainReporter, screen: Screen, clock: Clock) -> None:
    reporter.run_started(RUN)
    for task in "456":
        reporter.waiting(
            Waiting("train", REF._replace(task=task), "Unschedulable", "no node has 2 cores free")
        )
    reporter.waiting(Waiting("", None, "ApiServer", "the cluster does not answer"))
    reporter.attempt_started(Started(REF, "pod a"))
    clock.now += 500
    reporter.attempt_started(Started(REF._replace(task="4"), "pod b"))
    clock.now += 130
    screen.lines.clear()
    reporter.progress(
        {
            "start": StepCounts(succeeded=1),
            "train": StepCounts(waiting=2, running=2, retrying=1, succeeded=7),
            "join": StepCounts(),
            "end": StepCounts(),
        }
    )
    assert screen.lines == [
        "e After 10 minutes: 8 of 13 tasks known so far are done.  (dim)",
        "e     train: 2 running (the longest for 10 minutes), 2 waiting to start, 1 to be tried again, 7 done  (dim)",
        "e         Waiting: no node has 2 cores free  (dim)",
        "e     Not begun: join, end  (dim)",
        "e     The run waits: the cluster does not answer  (dim)",
    ]


def test_what_no_longer_waits_has_no_reason(reporter: PlainReporter, screen: Screen, clock: Clock) -> None:
    reporter.run_started(RUN)
    other = REF._replace(task="4")
    for ref in (REF, other):
        reporter.waiting(Waiting("train", ref, "Pulling", "the image is being pulled"))
    reporter.attempt_started(Started(REF, "pod a"))
    reporter.attempt_ended(failed(USER, "Cancelled", ""), None)
    reporter.attempt_ended(Record(other, FAILED, failure=Failure(CONFIGURATION, "", "no such image")), None)
    clock.now += 300
    screen.lines.clear()
    reporter.progress({"train": StepCounts(waiting=1)})
    assert screen.lines == [
        "e After 5 minutes: 0 of 1 tasks known so far are done.  (dim)",
        "e     train: 1 waiting to start  (dim)",
    ]


def test_of_many_steps_and_reasons_some_are_named() -> None:
    counts = {f"s{number}": StepCounts(running=1) for number in range(25)}
    idle = {f"i{number}": StepCounts() for number in range(25)}
    lines = list(summary({**counts, **idle}, 3600.0, {}, {"s0": ["a", "b", "c", "d", "d"]}))
    assert lines[1:6] == [
        "    s0: 1 running",
        "        Waiting: b",
        "        Waiting: c",
        "        Waiting: d",
        "        (earlier ones: 1)",
    ]
    assert lines[-2] == "    and 5 more steps are under way"
    assert lines[-1].endswith(", i19 and 5 more")


def test_for_those_who_want_quiet_there_is_none(quiet: PlainReporter, screen: Screen) -> None:
    quiet.progress({"train": StepCounts(waiting=1)})
    assert screen.lines == []


def test_what_tasks_print_to_stderr_can_stand_among_the_rest(screen: Screen) -> None:
    lines = (("stdout", 1.0, "loss 0.5"), ("stderr", 2.0, "a warning"))
    PlainReporter(screen, together=True).output(Output(REF, lines))
    assert screen.lines == ["o [train/3] loss 0.5", "o [train/3] a warning"]


def test_what_to_do_about_what_is_waited_for_is_said_once(reporter: PlainReporter, screen: Screen) -> None:
    full = "writing x in the datastore /data failed: No space left on device"
    for step, ref in (("train", REF), ("", None)):
        reporter.waiting(Waiting(step, ref, "Datastore", full, "Make room there."))
    assert screen.lines == [
        f"e [train/3] Waiting: {full}  (dim)",
        "e [train/3] Make room there. What waits for it then goes on by itself.",
        f"e Waiting: {full[0].upper()}{full[1:]}  (dim)",
    ]
