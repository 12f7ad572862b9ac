"""Which objects a list or watch request selects."""

from __future__ import annotations

from aiohttp import web

from headway.localcluster.api.paths import Target
from headway.localcluster.objects.meta import Object, name_of, namespace_of
from headway.localcluster.objects.selectors import Predicate, field_predicate, label_predicate


def predicate(request: web.BaseRequest, target: Target) -> Predicate:
    """The predicate made of a request's namespace, name and selectors.

    Raises:
        ApiError: 400, a selector cannot be read.
    """
    checks: list[Predicate] = []
    if target.kind.namespaced and target.namespace:
        checks.append(lambda obj: namespace_of(obj) == target.namespace)
    if target.name:
        checks.append(lambda obj: name_of(obj) == target.name)
    if labels := request.query.get("labelSelector"):
        checks.append(label_predicate(labels))
    if fields := request.query.get("fieldSelector"):
        checks.append(field_predicate(target.kind.plural, fields))

    def selected(obj: Object) -> bool:
        return all(check(obj) for check in checks)

    return selected
