"""What a container asks for and what it may take, by quality-of-service class."""

from decimal import Decimal
from typing import Any

from headway.config.kubernetes import KubernetesSettings


def container_resources(settings: KubernetesSettings) -> dict[str, Any]:
    """Requests and limits; memory and disk in units of 10^6 bytes.

    GPUs and extended resources cannot be overcommitted: they stand in the limits whatever the class,
    and GPUs there alone, as Kubernetes takes the request from the limit.
    """
    sizes = {
        "cpu": cpu_quantity(settings.cpu),
        "memory": f"{settings.memory}M",
        "ephemeral-storage": f"{settings.disk}M",
    }
    extended = dict(settings.extended_resources)
    limits = {**(sizes if settings.qos == "Guaranteed" else {}), **extended}
    if settings.gpu:
        limits[f"{settings.gpu_vendor}.com/gpu"] = str(settings.gpu)
    requests = {**sizes, **extended, **settings.resources.get("requests", {})}
    limits.update(settings.resources.get("limits", {}))
    return {"requests": requests, **({"limits": limits} if limits else {})}


def cpu_quantity(cores: Decimal) -> str:
    """Cores as Kubernetes writes them: ``2``, ``500m``."""
    return str(int(cores)) if cores == cores.to_integral_value() else f"{int(cores * 1000)}m"
