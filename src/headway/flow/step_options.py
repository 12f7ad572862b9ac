"""What ``@step`` and ``@pipeline`` were given, in ZenML's words, as what a step of a class would have: its decorators.

The launcher alone reads it, when a pipeline is traced.
"""

import math
import re

from headway.errors import FlowDefinitionError, HeadwayError
from headway.flow.catalogue import check_decorators, check_spec
from headway.flow.check import check_gang_size
from headway.flow.decorators import OF_PIPELINE, DecoratorSpec, decorators_of
from headway.flow.names import RESERVED_NAMES, did_you_mean
from headway.flow.operator_settings import merged
from headway.flow.option_words import STEP, check_words
from headway.plain import Any, Mapping, NamedTuple, Sequence

#: ZenML's other kinds of step operators; any other word is the name of one that runs on Kubernetes.
_OTHER_OPERATORS = ("azureml", "databricks", "modal", "runai", "sagemaker", "spark", "vertex")

_AGAIN = "@retry says how often and when, and lost pods are tried again besides"
#: Settings that ZenML takes and no longer heeds, with what says it here.
_VAIN: Mapping[str, str] = {
    "pod_failure_backoff": _AGAIN,
    "pod_failure_max_retries": _AGAIN,
    "pod_failure_retry_delay": _AGAIN,
    "pod_startup_timeout": "start_failure_timeout and unschedulable_timeout say how long a pod may stand still",
}

_ZENML = re.compile(r"zenml(\[.*)?", re.IGNORECASE)

_UNITS: Mapping[str, int] = {
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGTP", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGTP", 1)},
}


class StepOptions(NamedTuple):
    """One step of a pipeline, as far as it is not its function.

    Attributes:
        name: What its calls are called.
        decorators: From top to bottom, what options stand for behind those that are written.
        parameters: Arguments that calls need not give.
        pod: What its settings say of a pod, should it run in one.
        general: What the pipeline alone says of that, None where it says nothing: ``--with`` goes before it.
        in_pods: What they say of what is in it: decorators of a step that runs in one.
        ignored: What was given and has no effect, in words.
        left: The keys of the pipeline's settings that say nothing of this step.
    """

    name: str
    decorators: tuple[DecoratorSpec, ...]
    parameters: Mapping[str, Any]
    pod: Mapping[str, Any]
    general: "DecoratorSpec | None"
    in_pods: tuple[DecoratorSpec, ...]
    ignored: tuple[str, ...]
    left: frozenset[str]


def settle(
    pipeline: Mapping[str, Any], step: Mapping[str, Any], written: Any, function: Any, place: str = ""
) -> StepOptions:
    """A step's options, with those of its pipeline below them.

    Args:
        pipeline: What ``@pipeline`` was given.
        step: What ``@step`` was given.
        written: The step, on which decorators were noted.
        function: Its function.
        place: Where the pipeline is written, as ``file:line``.

    Raises:
        FlowDefinitionError: An option, or a decorator, is wrong.
    """
    source = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
    reader = _Options(
        pipeline, step, DecoratorSpec("step", {}, source), str(step.get("name") or function.__name__)
    )
    return reader.settle(written, f"{OF_PIPELINE}, {place}")


class _Options:
    def __init__(
        self, pipeline: Mapping[str, Any], step: Mapping[str, Any], mark: DecoratorSpec, name: str
    ) -> None:
        self._layers = (pipeline, step)
        self._mark = mark
        self._name = name
        self._ignored: list[str] = []
        self._left: set[str] = set()

    def settle(self, written: Any, place: str) -> StepOptions:
        pipeline, step = self._layers
        self._ignored += check_words(step, STEP, self._error)
        if not is_call_name(self._name):
            raise self._error(f"has the name {self._name!r}.", CALL_NAMES)
        operator = self._operator()
        below, own = (self._settings(layer, operator) for layer in self._layers)
        settings = {name: merged(below[name], own[name]) for name in own}
        pod, rest = map(self._heeded, divided(below["step_operator"], own["step_operator"]))
        for said, docker in ((rest, below["docker"]), (pod, own["docker"])):
            if docker.get("parent_image"):
                said.setdefault("image", docker["parent_image"])
        general = DecoratorSpec("kubernetes", rest, place) if rest else None
        specs = list(self._noted(written))
        environment = self._environment()
        if environment:
            self._put(specs, "environment", {"vars": environment})
        if settings["resources"]:
            self._put(specs, "resources", self._resources(settings["resources"]))
        retry = self._plain(step.get("retry") or pipeline.get("retry") or {}, "retry")
        if retry:
            self._put(specs, "retry", self._retry(retry))
        in_pods = self._docker(settings["docker"])
        self._add_pod(specs, operator, pod, general)
        if any(spec.name == "kubernetes" for spec in specs):
            for spec in in_pods:
                put_below(specs, spec)
        check_decorators(specs, f"step '{self._name}'")
        check_gang_size(self._name, specs)
        parameters = step.get("parameters") or {}
        if not isinstance(parameters, Mapping):
            raise self._error(f"has parameters={parameters!r}.", 'Write a dict: parameters={"rate": 0.1}.')
        ignored, left = tuple(self._ignored), frozenset(self._left)
        return StepOptions(self._name, tuple(specs), parameters, pod, general, in_pods, ignored, left)

    def _operator(self) -> "str | None":
        """What the step's operator is called, None for a step that needs none."""
        given = self._layers[1].get("step_operator")
        if given is None or given is False:
            return None
        if given is True:
            return "kubernetes"
        if not isinstance(given, str) or not given:
            raise self._error(f"has step_operator={given!r}.", 'Write step_operator="kubernetes".')
        if given.lower() in _OTHER_OPERATORS:
            raise self._error(
                f"has step_operator={given!r}, and Headway runs steps on Kubernetes alone.",
                'Write step_operator="kubernetes".',
            )
        return given

    def _settings(self, layer: Mapping[str, Any], operator: "str | None") -> dict[str, dict[str, Any]]:
        """The settings of pipeline or step by what they are of."""
        found: dict[str, dict[str, Any]] = {"step_operator": {}, "resources": {}, "docker": {}}
        mine = ("step_operator", "step_operator.kubernetes", *self._named_keys(operator))
        settings = layer.get("settings") or {}
        if not isinstance(settings, Mapping):
            raise self._error(f"has settings={settings!r}.", 'Write a dict: settings={"step_operator": {…}}.')
        # What is said of the one operator by its name is above what is said of its kind.
        for key in sorted(settings, key=lambda key: mine.index(key) if key in mine else -1):
            if settings[key] is None:
                continue
            value = self._plain(settings[key], f"settings[{key!r}]")
            if key in mine:
                found["step_operator"] = merged(found["step_operator"], value)
            elif key in found:
                found[key] = value
            elif layer is self._layers[0]:
                self._left.add(key)
            else:
                self._ignored.append(no_effect(key))
        return found

    def _named_keys(self, operator: "str | None") -> Sequence[str]:
        """The keys that name the step's operator itself."""
        if self._layers[1].get("step_operator") is not True:
            return [f"step_operator:{operator or 'kubernetes'}"]
        # Which operator is meant is not said: the one that settings are written for.
        return [
            key
            for layer in self._layers
            for key in layer.get("settings") or {}
            if str(key).startswith("step_operator:")
        ]

    def _environment(self) -> Mapping[str, Any]:
        return {
            name: value
            for layer in self._layers
            for name, value in self._plain(layer.get("environment") or {}, "environment").items()
        }

    def _noted(self, written: Any) -> Sequence[DecoratorSpec]:
        """The decorators that stand on the step."""
        return [
            spec if spec.user is None else spec._replace(note=number)
            for number, spec in enumerate(decorators_of(written))
        ]

    def _heeded(self, pod: Mapping[str, Any]) -> dict[str, Any]:
        """The settings of pods without those that say nothing in ZenML either."""
        for name in sorted(_VAIN.keys() & pod.keys()):
            self._ignored.append(
                f"KubernetesStepOperatorSettings({name}=…) has no effect here: {_VAIN[name]}."
            )
        return {name: value for name, value in pod.items() if name not in _VAIN}

    def _put(self, specs: list[DecoratorSpec], name: str, attributes: Mapping[str, Any]) -> None:
        put_below(specs, DecoratorSpec(name, attributes, self._mark.source))

    def _add_pod(
        self,
        specs: list[DecoratorSpec],
        operator: "str | None",
        pod: Mapping[str, Any],
        general: "DecoratorSpec | None",
    ) -> None:
        """What settings say of a pod: what a written ``@kubernetes`` leaves open, setting by setting."""
        below = DecoratorSpec("kubernetes", pod, self._mark.source)
        rest = () if general is None else (general,)
        for spec in (below, *rest):
            check_spec(spec, f"step '{self._name}'")
        for at, spec in enumerate(specs):
            if spec.name == "kubernetes":
                specs[at] = spec._replace(beneath=(*spec.beneath, *((below,) if pod else ()), *rest))
                return
        if operator is not None:
            specs.append(below._replace(beneath=rest))

    def _docker(self, docker: Mapping[str, Any]) -> tuple[DecoratorSpec, ...]:
        """What of DockerSettings needs no image to be built, beside the pod's image: packages and variables in it."""
        packages: Mapping[str, Any] = {}
        variables: dict[str, Any] = {}
        for name, value in docker.items():
            if name in ("environment", "runtime_environment"):
                variables.update(self._plain(value or {}, f"DockerSettings({name}=…)"))
            elif name == "requirements" and value:
                packages = self._requirements(value)
            elif value and name not in ("parent_image", "skip_build", "python_package_installer"):
                self._ignored.append(f"DockerSettings({name}=…) has no effect here: no image is built.")
        found = [("pypi", packages), ("environment", {"vars": variables} if variables else {})]
        return tuple(DecoratorSpec(name, said, self._mark.source) for name, said in found if said)

    def _requirements(self, value: Any) -> dict[str, Any]:
        from headway.flow.parsers import requirements_txt_parser  # for pipelines that name some

        try:
            if isinstance(value, str):
                with open(value, encoding="utf-8") as file:
                    text = file.read()
            else:
                text = "\n".join(str(each) for each in value)
            packages = dict(requirements_txt_parser(text))
        except OSError as error:
            raise self._error(
                f"has DockerSettings(requirements={value!r}), which cannot be read: {error.strerror}.",
                "Name a file that is there, or a list such as ['numpy==2.1.0'].",
            ) from None
        except (HeadwayError, ValueError) as error:
            raise self._error(
                f"has DockerSettings(requirements=…) that cannot be used: {error}",
                "Write lines such as numpy==2.1.0.",
            ) from None
        # The package of that name would stand beside the one that is made of ours.
        wanted = {name: each for name, each in packages["packages"].items() if not _ZENML.fullmatch(name)}
        if len(wanted) < len(packages["packages"]):
            self._ignored.append(
                "DockerSettings(requirements=…): zenml is not installed, Headway stands for it."
            )
        return {**packages, "packages": wanted} if wanted else {}

    def _resources(self, given: Mapping[str, Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        for name, value in given.items():
            if name in ("cpu_count", "gpu_count"):
                attributes[name.removesuffix("_count")] = value
            elif name == "memory" and value is not None:
                attributes["memory"] = self._megabytes(value)
            elif value is not None:
                self._ignored.append(f"ResourceSettings({name}=…) has no effect here.")
        return attributes

    def _megabytes(self, text: Any) -> int:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGTP]i?B)", str(text))
        if match is None:
            raise self._error(
                f"has ResourceSettings(memory={text!r}).",
                "Write a number and its unit: memory='16GB', '512MiB'.",
            )
        return math.ceil(float(match[1]) * _UNITS[match[2]] / 1e6)

    def _retry(self, given: Mapping[str, Any]) -> dict[str, Any]:
        for name in given:
            if name not in ("max_retries", "delay", "backoff"):
                raise self._error(
                    f"has a retry with {name}.", did_you_mean(name, ("max_retries", "delay", "backoff"))
                )
        if given.get("backoff") not in (None, 0, 1):
            self._ignored.append("StepRetryConfig(backoff=…) has no effect here: the delay stays the same.")
        delay = given.get("delay") or 0
        if isinstance(delay, bool) or not isinstance(delay, (int, float)) or delay < 0:
            raise self._error(f"has a retry with delay={delay!r}.", "Write seconds, 0 or more.")
        times = given.get("max_retries")
        return {"times": 1 if times is None else times, "minutes_between_retries": delay / 60}

    def _plain(self, value: Any, what: str) -> dict[str, Any]:
        """Settings as a dict, whatever they were written as; models of pydantic's kind too."""
        if isinstance(value, Mapping):
            return {name: self._within(item) for name, item in value.items()}
        dump = getattr(value, "model_dump", None)
        if callable(dump):
            return dict(dump(exclude_unset=True))
        raise self._error(f"has {what}={value!r}.", "Write a dict of names and values.")

    def _within(self, value: Any) -> Any:
        dump = getattr(value, "model_dump", None)
        return dict(dump(exclude_unset=True)) if callable(dump) else value

    def _error(self, what: str, hint: str) -> FlowDefinitionError:
        file, line = self._mark.location
        return FlowDefinitionError(f"Step '{self._name}' {what}", hint, file or None, line or None)


def put_below(specs: list[DecoratorSpec], below: DecoratorSpec) -> None:
    """Add a decorator to a step's; where there is one of its name, that one wins, and dicts of both are merged."""
    for at, spec in enumerate(specs):
        if spec.name == below.name:
            specs[at] = spec._replace(attributes=merged(below.attributes, spec.attributes))
            return
    specs.append(below)


def divided(below: Mapping[str, Any], above: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of a pipeline and of a step: what the step speaks of, as both say it, and what the pipeline alone does."""
    own, rest = merged({}, above), dict(below)
    for name, value in above.items():
        known = rest.pop(name, None)
        if not (isinstance(known, dict) and isinstance(value, dict)):
            continue
        own[name] = merged(known, value)
        if name == "pod_settings":
            # A group of settings, each with a place of its own.
            own[name], left = divided(known, value)
            if left:
                rest[name] = left
    return own, rest


def no_effect(key: str) -> str:
    """That settings of this key say nothing to anybody, in words."""
    return f"settings={{{key!r}: …}} has no effect here."


#: What calls can be called, in words.
CALL_NAMES = (
    "Use letters, digits and _, without one before it, and none of the names that every task has: "
    f"{', '.join(sorted(RESERVED_NAMES))}."
)


def is_call_name(name: object) -> bool:
    """Whether a call of a step can be called so."""
    return (
        isinstance(name, str)
        and name.isidentifier()
        and not name.startswith("_")
        and name not in RESERVED_NAMES
    )
