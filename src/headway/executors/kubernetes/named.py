"""The objects of the cluster that a step's pods name and cannot start without; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from headway.config.kubernetes import KubernetesSettings
from headway.config.spec_args import extra_text, extra_volumes
from headway.executors.kubernetes.api.kinds import (
    CONFIG_MAP,
    PERSISTENT_VOLUME_CLAIM,
    PRIORITY_CLASS,
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
)
from headway.executors.kubernetes.api.types import KubernetesObject
from headway.executors.kubernetes.volumes import claims

Named = tuple[Kind[KubernetesObject], str]


def named_objects(settings: KubernetesSettings) -> list[Named]:
    """Kind and name of each, once; what is said to be ``optional`` is none of them."""
    references = list(_references(settings))
    found: list[Named] = [
        *((SECRET, name) for name in (*settings.secrets, *settings.image_pull_secrets)),
        *(each for each in references if each[0] is SECRET),
        *((PERSISTENT_VOLUME_CLAIM, name) for name in claims(settings)),
    ]
    if account := extra_text(settings, "serviceAccountName") or settings.service_account:
        found.append((SERVICE_ACCOUNT, account))
    if priority := extra_text(settings, "priorityClassName") or settings.priority_class_name:
        found.append((PRIORITY_CLASS, priority))
    found += (each for each in references if each[0] is CONFIG_MAP)
    return list(dict.fromkeys(found))


def _references(settings: KubernetesSettings) -> Iterator[Named]:
    """Secrets and config maps that the environment and the volumes refer to."""
    for entry in settings.env_from:
        yield from _named(SECRET, entry.get("secretRef"))
        yield from _named(CONFIG_MAP, entry.get("configMapRef"))
    for value in settings.env.values():
        if isinstance(value, Mapping):
            yield from _named(SECRET, value.get("secretKeyRef"))
            yield from _named(CONFIG_MAP, value.get("configMapKeyRef"))
    for volume in (*settings.volumes, *extra_volumes(settings)):
        yield from _named(SECRET, volume.get("secret"), "secretName")
        yield from _named(CONFIG_MAP, volume.get("configMap"))
        projected = volume.get("projected")
        for source in (projected.get("sources") or ()) if isinstance(projected, Mapping) else ():
            if isinstance(source, Mapping):
                yield from _named(SECRET, source.get("secret"))
                yield from _named(CONFIG_MAP, source.get("configMap"))


def _named(kind: Kind[Any], reference: object, field: str = "name") -> Iterator[Named]:
    if isinstance(reference, Mapping) and reference.get(field) and not reference.get("optional"):
        yield kind, str(reference[field])
