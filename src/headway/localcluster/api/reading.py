"""Get and list."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from aiohttp import web

from headway.localcluster.api.paths import Target
from headway.localcluster.api.respond import answer, number, wants_table
from headway.localcluster.api.selection import predicate
from headway.localcluster.api.tables import table
from headway.localcluster.objects.failures import bad_request, expired, no_such_path
from headway.localcluster.objects.meta import Object, encode, name_of, namespace_of
from headway.localcluster.objects.store import Store

_READABLE_SUBRESOURCES = ("", "status")


class Reader:
    """Answers `get` and `list`.

    Args:
        store: Where the objects live.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, request: web.BaseRequest, target: Target) -> web.Response:
        """One object, or its printed row."""
        if target.subresource not in _READABLE_SUBRESOURCES:
            raise no_such_path()
        obj = self._store.get(target.kind, target.namespace, target.name)
        if wants_table(request):
            return answer(table(target.kind, [obj], obj["metadata"]["resourceVersion"], request))
        return answer(obj)

    def list(self, request: web.BaseRequest, target: Target) -> web.Response:
        """The selected objects, whole or in pages."""
        selected = predicate(request, target)
        limit = number(request, "limit") or 0
        revision, start = self._continued(request.query.get("continue", ""))
        namespace = target.namespace if target.kind.namespaced and target.namespace else None
        found = [
            obj
            for obj in self._store.objects(target.kind, namespace)
            if (namespace_of(obj), name_of(obj)) > start and selected(obj)
        ]
        meta: dict[str, Any] = {"resourceVersion": str(revision or self._store.revision)}
        if limit and len(found) > limit:
            meta["remainingItemCount"] = len(found) - limit
            found = found[:limit]
            last = (namespace_of(found[-1]), name_of(found[-1]))
            meta["continue"] = base64.urlsafe_b64encode(
                encode([revision or self._store.revision, *last])
            ).decode()
        if wants_table(request):
            printed = table(target.kind, found, meta["resourceVersion"], request)
            printed["metadata"] = meta
            return answer(printed)
        return answer(
            {
                "kind": f"{target.kind.name}List",
                "apiVersion": target.kind.api_version,
                "metadata": meta,
                "items": [_as_item(obj) for obj in found],
            }
        )

    def _continued(self, token: str) -> tuple[int, tuple[str, str]]:
        """The snapshot and the last key a page token stands for."""
        if not token:
            return 0, ("", "")
        try:
            revision, namespace, name = msgspec.json.decode(base64.urlsafe_b64decode(token))
        except (binascii.Error, msgspec.DecodeError, ValueError, TypeError):
            raise bad_request("continue key is not valid") from None
        if revision < self._store.oldest_revision:
            raise expired(revision, self._store.oldest_revision)
        return revision, (namespace, name)


def _as_item(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
