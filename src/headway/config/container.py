"""What a step's container asks for and what it may take, once ``qos`` and ``resources=`` have had their say."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from headway.config.quantities import quantity

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings


def container_resources(settings: "KubernetesSettings") -> dict[str, Any]:
    """Requests and limits; memory and disk in units of 10^6 bytes.

    GPUs and extended resources cannot be overcommitted: they stand in the limits whatever the class,
    and GPUs there alone, as Kubernetes takes the request from the limit. What ``resources=`` says wins; a
    size of which it says the limit alone asks for no more than that, and with Guaranteed one of which it
    says the request alone is limited to that.
    """
    sizes = {
        "cpu": cpu_quantity(settings.cpu),
        "memory": f"{settings.memory}M",
        "ephemeral-storage": f"{settings.disk}M",
    }
    extended = dict(settings.extended_resources)
    said_requests, said_limits = (settings.resources.get(kind, {}) for kind in ("requests", "limits"))
    asked = {name: _least(size, said_limits.get(name, size)) for name, size in sizes.items()}
    asked.update((name, said_requests[name]) for name in sizes if name in said_requests)
    limits = {**(asked if settings.qos == "Guaranteed" else {}), **extended}
    if settings.gpu:
        limits[f"{settings.gpu_vendor}.com/gpu"] = str(settings.gpu)
    requests = {**asked, **extended, **said_requests}
    limits.update(said_limits)
    return {"requests": requests, **({"limits": limits} if limits else {})}


def cpu_quantity(cores: Decimal) -> str:
    """Cores as Kubernetes writes them: ``2``, ``500m``."""
    return str(int(cores)) if cores == cores.to_integral_value() else f"{int(cores * 1000)}m"


def requested(settings: "KubernetesSettings", resource: str) -> Decimal:
    """How much of ``cpu`` (cores), ``memory`` or ``ephemeral-storage`` (bytes) the container asks for."""
    return quantity(container_resources(settings)["requests"][resource]) or Decimal(0)


def allowed(settings: "KubernetesSettings", resource: str) -> Decimal | None:
    """How much of it the container may take, None where nothing limits it."""
    return quantity(container_resources(settings).get("limits", {}).get(resource, ""))


def memory_megabytes(settings: "KubernetesSettings") -> int:
    """The MB that the container can count on holding: its limit, or what it asks for where it has none."""
    return int((allowed(settings, "memory") or requested(settings, "memory")) / 10**6)


def said_by_resources(settings: "KubernetesSettings") -> frozenset[str]:
    """The resources of which ``resources=`` says a request or a limit, so that it is there to be changed."""
    return frozenset(name for amounts in settings.resources.values() for name in amounts)


def _least(one: str, other: str) -> str:
    """The smaller amount of the two."""
    first, second = quantity(one), quantity(other)
    return other if first is not None and second is not None and second < first else one
