"""The flow decorators that there are, and the check of those that stand on a flow's class; the launcher's alone."""

from headway.flow.attributes import CONDA, PYPI, Attribute, anything, flag, text
from headway.flow.catalogue import DecoratorKind, check_decorators
from headway.flow.decorator_errors import BadFlowDecoratorError
from headway.flow.decorators import DecoratorSpec
from headway.flow.flow_decorators import flow_decorators_of, noted_on
from headway.flow.misuse import error_at
from headway.flow.step import members_of
from headway.plain import Any, Mapping, Optional

#: What a project and a branch can be called, as other systems rely on it.
_IN_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")

_NO_DEPLOYMENT = (
    "nothing is deployed here, so it starts no runs; let cron or a Kubernetes CronJob start `flow.py run`."
)


def is_project_name(name: str) -> bool:
    """Whether a project or a branch can be called so."""
    return 0 < len(name) <= 128 and _IN_NAMES.issuperset(name)


def _name(value: object) -> object:
    if not isinstance(value, str) or not is_project_name(value):
        raise ValueError("up to 128 lower-case letters, digits and underscores are allowed")
    return value


def _branch(value: object) -> object:
    # Empty as a variable that is not set makes it: the user's own.
    return value if value == "" else _name(value)


def _hooks(value: object) -> object:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) or callable(item) for item in value):
        return value
    raise ValueError("a list of functions, or of their names, is allowed")


def _check_project(attributes: Mapping[str, Any]) -> str:
    return "" if attributes.get("name") else "A project needs a name: @project(name='fraud_detection')."


def _check_hooks(attributes: Mapping[str, Any]) -> str:
    if attributes.get("on_success") or attributes.get("on_error"):
        return ""
    return "Say what is to run: on_success=[…], on_error=[…], or both."


# fmt: off
_PROJECT = (
    Attribute("name", None, "The project.", _name),
    Attribute("branch", None, "The branch; by default the user's own.", _branch),
    Attribute("production", False, "Whether the branch is a production branch.", flag),
)
_EXIT_HOOK = (
    Attribute("on_success", [], "Functions to call after a run that succeeded.", _hooks),
    Attribute("on_error", [], "Functions to call after a run that did not.", _hooks),
    Attribute("options", {}, "For deployments.", anything),
)
_SCHEDULE = (
    Attribute("cron", None, "When, as cron says it.", text),
    Attribute("weekly", False, "Once a week.", flag),
    Attribute("daily", True, "Once a day.", flag),
    Attribute("hourly", False, "Once an hour.", flag),
    Attribute("timezone", None, "The time zone.", text),
)
_TRIGGER = (
    Attribute("event", None, "The event.", anything),
    Attribute("events", [], "Several events.", anything),
    Attribute("options", {}, "How they are told apart.", anything),
)
_TRIGGER_ON_FINISH = (
    Attribute("flow", None, "The flow that is waited for.", anything),
    Attribute("flows", [], "Several flows.", anything),
    Attribute("options", {}, "How they are told apart.", anything),
)

#: Every flow decorator, by name.
FLOW_DECORATORS: Mapping[str, DecoratorKind] = {
    kind.name: kind
    for kind in (
        DecoratorKind("project", "Runs of one project, branch by branch.", lambda: _PROJECT,
                      check=_check_project),
        DecoratorKind("exit_hook", "Functions to call after a run.", lambda: _EXIT_HOOK, allow_multiple=True,
                      check=_check_hooks),
        DecoratorKind("schedule", "Start the flow by the clock.", lambda: _SCHEDULE, missing=_NO_DEPLOYMENT),
        DecoratorKind("trigger", "Start the flow at an event.", lambda: _TRIGGER, missing=_NO_DEPLOYMENT),
        DecoratorKind("trigger_on_finish", "Start the flow after another one.", lambda: _TRIGGER_ON_FINISH,
                      missing=_NO_DEPLOYMENT),
        DecoratorKind("conda_base", "Packages for every step.", lambda: CONDA,
                      missing="no conda environment is made; @pypi_base brings packages, or name an image with "
                              "@kubernetes(image=…)."),
        DecoratorKind("pypi_base", "Packages from PyPI for every step.", lambda: PYPI),
    )
}
# fmt: on


def checked_flow_decorators(
    cls: Any, specs: Optional[tuple[DecoratorSpec, ...]] = None
) -> tuple[DecoratorSpec, ...]:
    """A flow's decorators, checked.

    Args:
        cls: The flow's class.
        specs: Its decorators; by default as written.

    Raises:
        FlowDefinitionError: One is wrong, stands twice, or on something that is not the flow's class.
    """
    for name, member in members_of(cls).items():
        for spec in noted_on(member):
            raise error_at(
                spec,
                f"@{spec.name} stands on '{name}', which is not a flow.",
                f"Flow decorators belong on flows: put @{spec.name} on class {cls.__name__}.",
                BadFlowDecoratorError,
            )
    if specs is None:
        specs = tuple(spec for each in flow_decorators_of(cls).values() for spec in each)
    check_decorators(specs, f"flow {cls.__name__}", FLOW_DECORATORS)
    return specs
