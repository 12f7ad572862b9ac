"""Features about steps that fail: tried again, caught, stopped in time."""

from collections.abc import Sequence
from typing import ClassVar

import headway
from matrix.feature import Feature, Values
from matrix.graph import Node, Shape, Task
from matrix.ran import Ran
from matrix.seen import Seen

#: What the features about being caught have in common.
_CATCH = '@catch(var="caught", print_exception=False)'
_RAISE = 'raise KeyError(f"caught here {current.retry_count}")'


class _Tried(Feature):
    """The first attempt of the victim fails."""

    group: ClassVar[str] = "tried"


class RetrySucceeds(_Tried):
    """A step that fails once ends well, and only it was tried again; an artifact of the failed attempt is gone."""

    def module(self) -> str:
        return "from headway import retry"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ("@retry(times=2, minutes_between_retries=0)",) if node.name == shape.victim else ()

    def code(self, node: Node, shape: Shape) -> str:
        if node.name != shape.victim:
            return "self.tries = current.retry_count"
        return """\
self.tries = current.retry_count
if current.retry_count == 0:
    self.of_failed_attempt = True
    print("attempt fails")
    raise ValueError("the first time")
print("attempt", current.retry_count, "ends well")"""

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"tries": 1 if task.step == shape.victim else 0}

    def absent(self, task: Task, shape: Shape) -> Sequence[str]:
        return ["of_failed_attempt"]

    def check(self, seen: Seen) -> None:
        for task in seen.of(seen.shape.victim):
            assert "attempt 1 ends well" in task.stdout, task.pathspec

    def check_client(self, ran: Ran) -> None:
        for step in ran.client():
            for task in step:
                assert task.successful
                assert task.exception is None
                expected = 1 if step.id == ran.shape.victim else 0
                assert task.current_attempt == expected, task.pathspec
                assert task.metadata_dict["attempt"] == str(expected), task.pathspec
                if expected:
                    first = type(task)(task.pathspec, attempt=0)
                    assert not first.successful
                    assert "attempt fails" in first.stdout
                    assert first.data.of_failed_attempt
                    assert first.data.tries == 0

    def check_commands(self, ran: Ran) -> None:
        told = ran.typed("logs", "--attempt", "0", f"{ran.id_of('run')}/{ran.shape.victim}")
        assert told.code == 0, told.all
        assert told.stdout.count("attempt fails") == len(ran.shape.of(ran.shape.victim)), told.all
        assert "ends well" not in told.stdout
        again = ran.run.stdout.count("Task is starting (attempt 2).")
        assert again == len(ran.shape.of(ran.shape.victim)), ran.run.all


class RetryByWith(Feature):
    """``--with retry`` tries every step again, but not those that say how often themselves."""

    group: ClassVar[str] = "retried"

    def senseless(self, shape: Shape) -> str:
        return "" if len(shape.nodes) < 6 else "nothing that smaller shapes do not show"

    def before(self, command: str) -> Sequence[str]:
        return ("--with", "retry:times=1,minutes_between_retries=0")

    def code(self, node: Node, shape: Shape) -> str:
        return 'if current.retry_count == 0:\n    raise ValueError("once")\nself.tries = current.retry_count'

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"tries": 1}


class _Caught(Feature):
    """The victim fails for good, and the flow goes on."""

    group: ClassVar[str] = "caught"

    def resumable(self, shape: Shape) -> bool:
        # What is to break the run would be caught as well.
        return shape.breaks.step != shape.victim


class CatchAndRetry(_Caught):
    """A caught step is tried again first, as often as it says."""

    def module(self) -> str:
        return "from headway import catch, retry"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return (_CATCH, "@retry(times=1, minutes_between_retries=0)") if node.name == shape.victim else ()

    def code(self, node: Node, shape: Shape) -> str:
        return f'print("tried", current.retry_count)\n{_RAISE}' if node.name == shape.victim else ""

    def check(self, seen: Seen) -> None:
        for task in seen.of(seen.shape.victim):
            assert "caught here 1" in str(task.values["caught"].exception), task.pathspec

    def check_client(self, ran: Ran) -> None:
        for task in ran.client()[ran.shape.victim]:
            for number in (0, 1):
                attempt = headway.Task(task.pathspec, attempt=number)
                assert f"tried {number}\n" in attempt.stdout, attempt.pathspec


class CatchWithVariable(_Caught):
    """What the step raised is an artifact, with its type and trace; elsewhere there is none."""

    def module(self) -> str:
        return "from headway import catch"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return (_CATCH,) if node.name == shape.victim else ()

    def code(self, node: Node, shape: Shape) -> str:
        if node.name == shape.victim:
            return _RAISE
        return 'self.know = getattr(self, "caught", None) is not None'

    def join(self, node: Node, shape: Shape) -> str:
        if node.name == shape.victim:
            return self.code(node, shape)
        return 'self.know = any(getattr(each, "caught", None) for each in branches)'

    def expect(self, task: Task, shape: Shape) -> Values:
        if any(parent.step == shape.victim for parent in task.parents):
            return {"know": True}
        return {}

    def check(self, seen: Seen) -> None:
        for task in seen.of(seen.shape.victim):
            caught = task.values["caught"]
            assert "caught here" in str(caught.exception), task.pathspec
            assert "KeyError" in str(caught.type)
            assert "raise KeyError" in str(caught.stacktrace)

    def check_client(self, ran: Ran) -> None:
        run = ran.client()
        # What comes of the last task is the run's success, and a step that is caught has failed.
        assert run.successful == (ran.shape.victim != ran.shape.last.name)
        for task in run[ran.shape.victim]:
            assert (task.successful, task.finished, task["_task_ok"].data) == (False, True, True)


class CatchNothing(_Tried):
    """The variable of a step that ends well, be it at its second attempt, is None."""

    def senseless(self, shape: Shape) -> str:
        return "what is to break the run would be caught" if shape.breaks.step == shape.victim else ""

    def module(self) -> str:
        return "from headway import catch, timeout"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ('@catch(var="unhurt")', "@timeout(minutes=5)") if node.name == shape.victim else ()

    def expect(self, task: Task, shape: Shape) -> Values:
        return {"unhurt": None} if task.step == shape.victim else {}


class TimeoutCaught(_Caught):
    """A step that takes too long is stopped and says so."""

    group: ClassVar[str] = "timed"

    def senseless(self, shape: Shape) -> str:
        return "" if len(shape.of(shape.victim)) < 5 else "it would take a second for each task"

    def module(self) -> str:
        return "from headway import catch, timeout\nimport time"

    def over(self, node: Node, shape: Shape) -> Sequence[str]:
        return ('@catch(var="late")', "@timeout(seconds=1)") if node.name == shape.victim else ()

    def code(self, node: Node, shape: Shape) -> str:
        return "time.sleep(120)" if node.name == shape.victim else ""

    def check(self, seen: Seen) -> None:
        for task in seen.of(seen.shape.victim):
            late = task.values["late"]
            assert "Timeout" in str(late.type), late.type
            assert seen.shape.victim in str(late.exception)


FEATURES = (
    RetrySucceeds(),
    RetryByWith(),
    CatchAndRetry(),
    CatchWithVariable(),
    CatchNothing(),
    TimeoutCaught(),
)
