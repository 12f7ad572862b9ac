"""From a graph and its decorators to how each step runs: where, with which settings, how often again."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from headway.config.sources import Configuration
from headway.errors import SettingsError, UsageError
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import CALL, Graph, Node
from headway.flow.misuse import error_at
from headway.launch.gangs import check_gang, rendezvous, with_gang
from headway.launch.memory import memory_steps
from headway.runtime.secret_sources import SETTINGS, read_source
from headway.schedule.plan import Plan, PlanNode, StepPolicy
from headway.store.batch import Catch, Gang, Secrets, Wrapping
from headway.store.records import INFRASTRUCTURE, USER

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings
    from headway.config.resolve import Resolved
    from headway.launch.overrides import Override

#: ``@retry`` as a person gets it without arguments.
_RETRY_TIMES = 3
_RETRY_MINUTES_REMOTE = 2

#: Decorators that are understood by name and not carried out yet.
_NOT_YET = {
    "batch": "Headway does not run steps on AWS Batch; @kubernetes runs them on a cluster.",
}

#: The annotation that names the launcher's Python to the embedded cluster.
HOST_PYTHON = "headway.dev/python"


class PlannedStep(Struct, frozen=True):
    """How one step runs.

    Attributes:
        name: The step.
        kubernetes: Its pods' settings, None where it runs on this machine.
        provenance: Where each of the settings came from.
        warnings: What is allowed and yet likely to surprise.
        timeout: Seconds its code may run, None for no limit.
        env: ``@environment`` values.
        retries: ``@retry`` times, 0 without it.
        retry_delay: Seconds before a retry.
        catch: What ``@catch`` says, None without it.
        secrets: What ``@secrets`` says, None without it.
        gang: How the ranks of each of its tasks find each other, None unless it is @parallel.
        wrapping: The flow's own decorators that run with it, None where it has none.
        memory_steps: MB of memory after it ran out once, twice, … (``@retry(on_oom=…)``).
    """

    name: str
    kubernetes: "KubernetesSettings | None" = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    timeout: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    retries: int = 0
    retry_delay: float = 0.0
    catch: Catch | None = None
    secrets: Secrets | None = None
    gang: Gang | None = None
    wrapping: Wrapping | None = None
    memory_steps: tuple[int, ...] = ()

    @property
    def policy(self) -> StepPolicy:
        """The scheduler's view of its retries."""
        retries = {USER: self.retries}
        if self.kubernetes is not None:
            retries[INFRASTRUCTURE] = self.kubernetes.infrastructure_retries
        return StepPolicy(
            retries,
            self.retry_delay,
            fallback=self.catch is not None,
            memory_retries=len(self.memory_steps),
        )


def plan_steps(
    graph: Graph, configuration: Configuration, overrides: "Sequence[Override]" = ()
) -> dict[str, PlannedStep]:
    """Resolve every step of a graph; nothing is asked of any cluster.

    Args:
        graph: The flow's graph.
        configuration: Variables and files.
        overrides: ``--override``.

    Raises:
        SettingsError: A value cannot be used.
        FlowDefinitionError: The flow needs what is not there yet.
        UsageError: An override would have no effect.
    """
    if overrides:
        from headway.launch.overrides import check_overrides  # with the settings' table, see below

        remote = [node.name for node in graph if node.decorator("kubernetes")]
        check_overrides(overrides, [node.name for node in graph], remote)
    return {node.name: _plan(node, configuration, overrides) for node in graph}


def schedule_plan(graph: Graph) -> Plan:
    """The graph as the scheduler knows it."""
    return Plan.of(
        graph.start,
        (
            with_gang(
                PlanNode(
                    node.name, node.targets, node.takes_inputs, node.name == graph.end, needs=node.needs
                ),
                node,
            )
            for node in graph
        ),
        calls=graph.is_pipeline,
    )


def _plan(node: Node, configuration: Configuration, overrides: "Sequence[Override]") -> PlannedStep:
    _refuse_what_is_missing(node)
    check_gang(node)
    kubernetes = node.decorator("kubernetes")
    times, delay = _retries(node.decorator("retry"), remote=kubernetes is not None)
    if kubernetes is None and node.kind != CALL:
        # As in Metaflow, who waits is the pod. A pipeline's step waits wherever it runs, as in ZenML.
        delay = 0.0
    step = PlannedStep(
        node.name,
        timeout=_timeout(node.decorator("timeout")),
        env=_environment(node.decorator("environment")),
        retries=times,
        retry_delay=delay,
        catch=_catch(node),
        secrets=_secrets(node, configuration),
        wrapping=_wrapping(node),
    )
    if kubernetes is not None:
        step = _with_pod(step, kubernetes, node, configuration, overrides)
    return replace(step, gang=rendezvous(node, step.kubernetes)) if node.is_parallel else step


def _wrapping(node: Node) -> Wrapping | None:
    if all(spec.user is None for spec in node.decorators):
        return None
    # For flows that have decorators of their own.
    from headway.flow.wrappers import tell_wrappers, usual_next

    told = tuple(tell_wrappers(node))
    return Wrapping(told, dict(usual_next(node))) if told else None


def _with_pod(
    step: PlannedStep,
    kubernetes: DecoratorSpec,
    node: Node,
    configuration: Configuration,
    overrides: "Sequence[Override]",
) -> PlannedStep:
    # The settings' table costs 30 ms to load, which a run without pods must not pay.
    from headway.config.describe import changes
    from headway.config.resolve import Layer, resolve_kubernetes

    specs = (kubernetes, *kubernetes.beneath)
    said = [Layer(spec.attributes, _place(spec, node)) for spec in specs if not spec.of_pipeline]
    own = None if kubernetes.attached else said.pop(0)
    general = next((Layer(spec.attributes, spec.source) for spec in specs if spec.of_pipeline), None)
    resources = node.decorator("resources")
    retry = node.decorator("retry")

    def resolved_with(override: Layer | None) -> "Resolved":
        return resolve_kubernetes(
            node.name,
            decorator=own,
            with_specs=said,
            flow_settings=general,
            resources_decorator=Layer(resources.attributes, _place(resources, node)) if resources else None,
            configuration=configuration,
            overrides=override,
        )

    warnings: tuple[str, ...] = ()
    if overrides:
        from headway.launch.overrides import layer_for

        resolved = resolved_with(layer_for(node.name, overrides))
        # What was written may be impossible, and the override its remedy.
        with contextlib.suppress(SettingsError):
            changed = changes(resolved_with(None), resolved)
            warnings = tuple(f"Step {node.name}: {words}" for words in changed)
    else:
        resolved = resolved_with(None)
    timeout = node.decorator("timeout")
    if timeout is not None and step.timeout is not None:
        from headway.launch.runtime_limit import with_timeout  # with the settings' table too

        resolved = with_timeout(resolved, step.timeout, _place(timeout, node), configuration)
    return replace(
        step,
        kubernetes=resolved.settings,
        provenance=resolved.provenance,
        warnings=(*warnings, *resolved.warnings),
        memory_steps=memory_steps(retry, resolved.settings, _place(retry, node) if retry else ""),
    )


def _place(spec: DecoratorSpec, node: Node) -> str:
    return spec.source if spec.attached else f"@{spec.name} on step {node.name}, {spec.source}"


def _refuse_what_is_missing(node: Node) -> None:
    batch = node.decorator("batch")
    if batch is not None and node.decorator("kubernetes") is not None:
        raise error_at(
            batch,
            f"Step {node.name} has both @batch and @kubernetes, and can run in one place only.",
            "Keep @kubernetes.",
        )
    for name, words in _NOT_YET.items():
        spec = node.decorator(name)
        if spec is not None:
            raise error_at(spec, f"Step {node.name}: {words}")


def _retries(spec: DecoratorSpec | None, *, remote: bool) -> tuple[int, float]:
    if spec is None:
        return 0, 0.0
    times = spec.attributes.get("times")
    minutes = spec.attributes.get("minutes_between_retries")
    if minutes is None:
        minutes = _RETRY_MINUTES_REMOTE if remote else 0
    return int(_RETRY_TIMES if times is None else times), float(minutes) * 60


def _catch(node: Node) -> Catch | None:
    spec = node.decorator("catch")
    if spec is None:
        return None
    printed = spec.attributes.get("print_exception")
    # A call says nothing of what follows.
    targets = () if node.kind == CALL else node.targets
    return Catch(targets, spec.attributes.get("var"), True if printed is None else bool(printed))


def _secrets(node: Node, configuration: Configuration) -> Secrets | None:
    spec = node.decorator("secrets")
    if spec is None or not spec.attributes.get("sources"):
        return None
    found = {name: configuration.get(name) for name in SETTINGS}
    settings = {name: str(value.value) for name, value in found.items() if value is not None}
    role = spec.attributes.get("role")
    sources = tuple(spec.attributes["sources"])
    for source in sources:
        try:
            read_source(source, role, settings)
        except UsageError as error:
            raise error_at(spec, f"@secrets on step '{node.name}': {error.message}", error.hint) from error
    return Secrets(sources, role, bool(spec.attributes.get("allow_override")), settings)


def _timeout(spec: DecoratorSpec | None) -> float | None:
    if spec is None:
        return None
    units = {"seconds": 1, "minutes": 60, "hours": 3600}
    return float(sum(float(spec.attributes.get(name) or 0) * length for name, length in units.items()))


def _environment(spec: DecoratorSpec | None) -> dict[str, str]:
    if spec is None:
        return {}
    values = spec.attributes.get("vars") or {}
    if not isinstance(values, Mapping):
        raise SettingsError("vars", values, "a dict of names and values is allowed", spec.source)
    return {str(name): str(value) for name, value in values.items()}


def with_interpreter(settings: "KubernetesSettings", path: str) -> "KubernetesSettings":
    """The settings with a note of the Python of this machine that pods are to run with.

    Only the embedded cluster reads it, whose pods are processes of this machine.
    """
    from headway.config.fields import replace as changed  # what such a flow has loaded by now

    return changed(settings, annotations={**settings.annotations, HOST_PYTHON: path})
