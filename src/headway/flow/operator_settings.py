"""ZenML's settings objects: what is written in them is kept as it is, and checked when a pipeline is traced.

They are imported with flow files, in pods too, so they only hold what they were given.
"""

from headway.plain import Any, Dict, Mapping


class Settings(Dict[str, Any]):
    """Settings by name; as a dict, or as attributes."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(fields)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"{type(self).__name__} was given no {name}")


class KubernetesPodSettings(Settings):
    """How pods are: ``node_selectors``, ``affinity``, ``tolerations``, ``resources``, ``volumes`` and more."""


class KubernetesStepOperatorSettings(Settings):
    """How a step runs on Kubernetes: ``pod_settings``, ``service_account_name``, and the others of ``@kubernetes``.

    Behind ``settings={"step_operator": …}`` of ``@step`` or ``@pipeline``.
    """


class ResourceSettings(Settings):
    """What a step needs wherever it runs: ``cpu_count``, ``gpu_count``, ``memory`` as in "16GB".

    Behind ``settings={"resources": …}``.
    """


class DockerSettings(Settings):
    """What a step finds installed: ``parent_image`` is its pods' image, ``requirements`` travel with the code.

    Behind ``settings={"docker": …}``. No image is built; what would need one is named when the pipeline runs.
    """


class StepRetryConfig(Settings):
    """How a step is tried again: ``max_retries``, and ``delay`` in seconds. Behind ``retry=``."""


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Dict[str, Any]:
    """Two settings as one: dicts within them are merged, whatever else there is above wins."""
    result = dict(below)
    for name, value in above.items():
        known = result.get(name)
        result[name] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result
