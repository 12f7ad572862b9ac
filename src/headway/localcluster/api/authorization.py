"""Who may do what: roles and bindings, evaluated as Kubernetes does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headway.localcluster.api.identity import User
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from headway.localcluster.objects.meta import Object
from headway.localcluster.objects.store import Store

_ALL_POWERFUL = "system:masters"


@dataclass(frozen=True)
class Action:
    """Something a user wants to do.

    Attributes:
        verb: `get`, `list`, `create`, …
        group: The API group.
        resource: The plural name, with a subresource behind a slash.
        namespace: The namespace; empty for the cluster or all namespaces.
        name: The object; empty for collections.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


class Authorizer:
    """Decides by the roles and bindings in the store.

    Args:
        store: Where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def allowed(self, user: User, action: Action) -> bool:
        """Whether a user may do something."""
        if _ALL_POWERFUL in user.groups:
            return True
        return any(_covers(rule, action) for rule in self.rules(user, action.namespace))

    def check(self, user: User, action: Action) -> None:
        """Refuse what a user may not do.

        Raises:
            ApiError: 403 in Kubernetes' words.
        """
        if self.allowed(user, action):
            return
        plural = action.resource.partition("/")[0]
        what = f"{plural}.{action.group}" if action.group else plural
        quoted = f' "{action.name}"' if action.name else ""
        where = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
        message = (
            f'{what}{quoted} is forbidden: User "{user.name}" cannot {action.verb} resource '
            f'"{action.resource}" in API group "{action.group}" {where}'
        )
        details = {"name": action.name, "group": action.group, "kind": plural}
        raise ApiError(403, "Forbidden", message, {key: value for key, value in details.items() if value})

    def rules(self, user: User, namespace: str) -> Iterator[Object]:
        """The rules that hold for a user in a namespace."""
        if _ALL_POWERFUL in user.groups:
            yield {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        for binding in self._store.objects(CLUSTER_ROLE_BINDING):
            if _binds(binding, user, ""):
                yield from self._role(binding["roleRef"], "")
        if namespace:
            for binding in self._store.objects(ROLE_BINDING, namespace):
                if _binds(binding, user, namespace):
                    yield from self._role(binding["roleRef"], namespace)

    def _role(self, reference: Object, namespace: str) -> list[Object]:
        if reference["kind"] == CLUSTER_ROLE.name:
            found = self._store.find(CLUSTER_ROLE, "", reference["name"])
        else:
            found = self._store.find(ROLE, namespace, reference["name"])
        return list(found.get("rules") or ()) if found else []


def _binds(binding: Object, user: User, namespace: str) -> bool:
    return any(_is_subject(subject, user, namespace) for subject in binding.get("subjects") or ())


def _is_subject(subject: Object, user: User, namespace: str) -> bool:
    name = subject["name"]
    if subject["kind"] == "ServiceAccount":
        return user.name == f"system:serviceaccount:{subject.get('namespace') or namespace}:{name}"
    return bool(name in user.groups if subject["kind"] == "Group" else user.name == name)


def _covers(rule: Object, action: Action) -> bool:
    names = rule.get("resourceNames") or ()
    return (
        _among(action.verb, rule.get("verbs"))
        and _among(action.group, rule.get("apiGroups"))
        and _resource_among(action.resource, rule.get("resources"))
        and (not names or action.name in names)
    )


def _among(value: str, values: list[str] | None) -> bool:
    return bool(values) and ("*" in (values or ()) or value in (values or ()))


def _resource_among(resource: str, values: list[str] | None) -> bool:
    _, slash, sub = resource.partition("/")
    return _among(resource, values) or (bool(slash) and f"*/{sub}" in (values or ()))
