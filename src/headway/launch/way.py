"""The way to the datastore as a run's pods are told of it: this machine's own, as far as it is one for them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from headway.errors import SettingsError
from headway.store.forward import child_environment, places, unreachable, unsaid

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings

#: Where pods are told otherwise, whatever the step.
_FOR_PODS = "HEADWAY_KUBERNETES_ENV"


def way_of_pods(url: str, *, here: bool) -> dict[str, str]:
    """The variables with which pods reach a datastore.

    Args:
        url: The datastore's root.
        here: Whether the pods are processes of this machine.
    """
    found = child_environment(url)
    astray = {} if here else unreachable(found)
    return {name: value for name, value in found.items() if name not in astray}


def check_way(url: str, steps: "Mapping[str, KubernetesSettings]") -> Iterator[str]:
    """What of this machine's way to the datastore is none for pods elsewhere, a line each.

    Args:
        url: The datastore's root.
        steps: The settings of the steps whose pods are not processes of this machine.

    Raises:
        SettingsError: Pods would look for the datastore on themselves.
    """
    astray = unreachable(child_environment(url)) if steps else {}
    left = {step: unsaid(url, astray, settings.env) for step, settings in steps.items()}
    for step, found in left.items():
        for name, value in places(url, found).items():
            raise SettingsError(
                name,
                value,
                f"that is where this machine finds the datastore {url}; to a pod of step {step} it is the pod itself",
                hint=f'Say where pods find it: {_FOR_PODS}=\'{{"{name}": "http://SERVICE.NAMESPACE:PORT"}}\', or env= '
                "of the step.",
            )
    for name, value in astray.items():
        told = [step for step, found in left.items() if name in found]
        if told:
            which = "pods" if len(told) == len(steps) else f"pods of {', '.join(told)}"
            yield (
                f"{name}={value} is not passed on to {which}, to which it is the pod itself. Where they need one, "
                f"say it in {_FOR_PODS}."
            )
