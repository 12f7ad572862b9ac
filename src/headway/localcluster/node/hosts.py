"""Names that pods can resolve: headless services and the pods behind them, in a hosts file."""

from __future__ import annotations

from headway.localcluster.objects.kinds import POD, SERVICE
from headway.localcluster.objects.meta import Object, is_true, name_of
from headway.localcluster.objects.selectors import spec_selects
from headway.localcluster.objects.store import Store

_DOMAIN = "svc.cluster.local"


def members(store: Store, service: Object) -> list[Object]:
    """The pods behind a service that its addresses are published for."""
    spec = service["spec"]
    if not spec.get("selector"):
        return []
    found = []
    for pod in store.objects(POD, service["metadata"]["namespace"]):
        status = pod["status"]
        alive = status.get("phase") not in ("Succeeded", "Failed") and status.get("podIP")
        if not alive or not spec_selects(
            {"matchLabels": spec["selector"]}, pod["metadata"].get("labels") or {}
        ):
            continue
        ready = is_true(status, "Ready") and not pod["metadata"].get("deletionTimestamp")
        if ready or spec.get("publishNotReadyAddresses"):
            found.append(pod)
    return found


def service_lines(store: Store, namespace: str) -> list[str]:
    """The lines for every service of a namespace.

    A service with an address of its own resolves to its first pod, for nothing forwards connections here.
    """
    lines = []
    for service in store.objects(SERVICE, namespace):
        name = name_of(service)
        names = " ".join(_forms(name, namespace))
        for pod in members(store, service):
            address, spec = pod["status"]["podIP"], pod["spec"]
            if spec.get("subdomain") == name and spec.get("hostname"):
                own = " ".join(f"{spec['hostname']}.{form}" for form in _forms(name, namespace))
                lines.append(f"{address}\t{own}")
            lines.append(f"{address}\t{names}")
            if service["spec"].get("clusterIP") != "None":
                break
    return lines


def _forms(name: str, namespace: str) -> list[str]:
    """How a name can be written: in full, and as the search path would complete it."""
    return [
        f"{name}.{namespace}.{_DOMAIN}",
        f"{name}.{namespace}.svc",
        f"{name}.{namespace}",
        name,
    ]


def hosts_file(pod: Object, address: str, services: list[str]) -> str:
    """The whole `/etc/hosts` of a pod."""
    spec, meta = pod["spec"], pod["metadata"]
    own = hostname(pod)
    if spec.get("subdomain"):
        own = f"{own}.{spec['subdomain']}.{meta['namespace']}.{_DOMAIN}\t{own}"
    aliases = [
        f"{entry['ip']}\t{' '.join(entry.get('hostnames') or ())}" for entry in spec.get("hostAliases") or ()
    ]
    lines = [
        "# Kubernetes-managed hosts file.",
        "127.0.0.1\tlocalhost kubernetes.default.svc kubernetes.default",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        f"{address}\t{own}",
        *services,
        *aliases,
    ]
    return "\n".join(lines) + "\n"


def hostname(pod: Object) -> str:
    """The name a pod's machine has."""
    return str(pod["spec"].get("hostname") or name_of(pod))[:63].rstrip("-.")
