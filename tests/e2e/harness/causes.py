"""One flow whose steps meet one fate each, side by side: many causes cost the time and the launcher of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.launch import Result
from harness.reading import AttemptView, RunView

FLOW = "CausesFlow"

#: Seconds after which what will not start, and what no node can take, is given up: tests do not wait for minutes.
SOON = {"HEADWAY_KUBERNETES_START_FAILURE_TIMEOUT": "9", "HEADWAY_KUBERNETES_UNSCHEDULABLE_TIMEOUT": "12"}

_HEAD = """\
import os, signal, sys, time

from headway import FlowSpec, catch, current, kubernetes, retry, step


class {flow}(FlowSpec):
    @step
    def start(self):
        self.next({steps})
"""
_STEP = """
    {catch}
    @kubernetes({settings})
    @step
    def {name}(self):
        {body}
        self.next(self.join)
"""
_TAIL = """
    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    {flow}()
"""


@dataclass(frozen=True)
class Cause:
    """Why the pod of one step fails, and what is said of it.

    Attributes:
        settings: What ``@kubernetes`` says.
        kind: Whose budget the failure spends.
        reason: Its word.
        message: Words of its message.
        hint: Words of what to do, "" where there is nothing.
        body: What the step does; by default it would succeed.
    """

    settings: Mapping[str, Any]
    kind: str
    reason: str
    message: str
    hint: str = ""
    body: str = "pass"


@dataclass(frozen=True)
class Branch:
    """A step as it is written: its settings and what it does."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    body: str = "pass"


def flow_of(steps: Mapping[str, Cause | Branch], *, catches: bool = True) -> str:
    """The flow's source: every step a branch of its own; start, join and end run where the flow is started.

    Args:
        steps: By name.
        catches: Whether each step that fails leaves the others alone.
    """
    written = [
        _STEP.format(
            catch='@catch(var="error", print_exception=False)' if catches else "",
            settings=", ".join(f"{key}={value!r}" for key, value in each.settings.items()),
            name=name,
            body=each.body.replace("\n", "\n        "),
        )
        for name, each in steps.items()
    ]
    head = _HEAD.format(flow=FLOW, steps=", ".join(f"self.{name}" for name in steps))
    return head + "".join(written) + _TAIL.format(flow=FLOW)


def told(result: Result, step: str) -> str:
    """What the launcher said of a step's one task."""
    return "\n".join(line.text for line in result.lines if line.text.startswith(f"[{step}/"))


def wrongs(causes: Mapping[str, Cause], result: Result, run: RunView) -> list[str]:
    """Where a step failed otherwise, or was told of in other words, than it should."""
    found: list[str] = []
    for name, cause in causes.items():
        # The last is the fallback's: nothing of the step runs in it.
        first, *again = _failed(run, name)
        said = told(result, name)
        if (first.kind, first.reason) != (cause.kind, cause.reason):
            found.append(f"{name}: {first.kind} {first.reason}: {first.message}\n{said}")
        elif cause.message not in first.message or cause.hint not in said:
            found.append(f"{name}: other words: {first.message}\n{said}")
        elif again:
            found.append(f"{name}: tried again\n{said}")
    return found


def _failed(run: RunView, step: str) -> list[AttemptView]:
    return [attempt for attempt in run.task(step).attempts if not attempt.successful]
