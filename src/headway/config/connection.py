"""How a run speaks with its cluster: what its steps' settings say of it, as one."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from headway.config.kubernetes import KubernetesSettings
from headway.errors import SettingsError


@dataclass(frozen=True)
class Connection:
    """Which cluster, and how patient one is with it.

    Attributes:
        context: The kubeconfig's context, None for its current one.
        incluster: Whether the service account of the pod that this runs in is used, whatever else there is.
        request_timeout: Seconds for one try of one request, None for the client's own.
        retries: How often a request is sent again at most, None for as often as its time allows.
    """

    context: str | None = None
    incluster: bool = False
    request_timeout: Decimal | None = None
    retries: int | None = None


#: The kubeconfig's current context, or the pod's own cluster, with the client's own patience.
AS_CONFIGURED = Connection()


def connection_of(steps: Mapping[str, KubernetesSettings]) -> Connection:
    """The one connection of a run.

    Args:
        steps: The settings of the steps that run as pods.

    Raises:
        SettingsError: Steps name different clusters.
    """
    first = next(iter(steps), "")
    for name, settings in steps.items():
        if settings.incluster and settings.kubernetes_context is not None:
            raise SettingsError(
                "kubernetes_context",
                settings.kubernetes_context,
                f"step {name} says incluster too, which is another cluster's credentials",
                hint="Keep one of them.",
            )
        for field in ("kubernetes_context", "incluster"):
            here, there = getattr(settings, field), getattr(steps[first], field)
            if here != there:
                raise SettingsError(
                    field,
                    here,
                    f"a run uses one cluster, and step {first} says {field}={there!r} where step {name} says {here!r}",
                    hint=f"Say it for all: HEADWAY_KUBERNETES_{field.upper().removeprefix('KUBERNETES_')}=…",
                )
    timeouts = [each.api_request_timeout for each in steps.values() if each.api_request_timeout is not None]
    retries = [each.max_api_retries for each in steps.values() if each.max_api_retries is not None]
    return Connection(
        steps[first].kubernetes_context if steps else None,
        bool(steps) and steps[first].incluster,
        max(timeouts, default=None),
        max(retries, default=None),
    )
