"""Create, update, patch and delete."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from headway.localcluster.admission import security
from headway.localcluster.admission.deletion import DeleteOptions, orphans_by_default
from headway.localcluster.admission.registry import Registry
from headway.localcluster.api.paths import Target
from headway.localcluster.api.respond import answer, body_of, number
from headway.localcluster.api.selection import predicate
from headway.localcluster.objects.apply import apply
from headway.localcluster.objects.failures import ApiError, bad_request, no_such_path
from headway.localcluster.objects.kinds import JOB, NAMESPACE
from headway.localcluster.objects.meta import Object, copied, name_of, namespace_of
from headway.localcluster.objects.patches import json_patch, merge_patch, strategic_merge
from headway.localcluster.schema.decoding import cannot_handle, decode, unknown_field

_ORPHAN_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove "
    "them or set propagationPolicy=Orphan to suppress this warning"
)
_DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


class Writer:
    """Answers every request that changes an object.

    Args:
        registry: The way into the store.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store

    async def create(self, request: web.BaseRequest, target: Target) -> web.Response:
        """POST to a collection."""
        obj, warnings = self._decoded(request, target, await body_of(request, target.kind.schema))
        if target.kind.namespaced and obj["metadata"].get("namespace", target.namespace) != target.namespace:
            raise _namespace_mismatch()
        created = self._registry.create(target.kind, target.namespace, obj, dry_run=_dry_run(request))
        if target.kind is JOB:
            namespace = self._store.get(NAMESPACE, "", target.namespace)
            warned = security.warning(namespace, created["spec"]["template"]["spec"])
            warnings += [warned] if warned else []
        return answer(created, 201, warnings)

    async def update(self, request: web.BaseRequest, target: Target) -> web.Response:
        """PUT to an object or its status."""
        _check_subresource(target)
        obj, warnings = self._decoded(request, target, await body_of(request, target.kind.schema))
        _check_identity(target, obj)
        stored = self._registry.replace(
            target.kind, obj, subresource=target.subresource, dry_run=_dry_run(request)
        )
        return answer(stored, 200, warnings)

    async def patch(self, request: web.BaseRequest, target: Target) -> web.Response:
        """PATCH of an object or its status, in any of the four formats."""
        _check_subresource(target)
        content = request.headers.get("Content-Type", "").split(";")[0].strip()
        body = await body_of(request)
        if content in ("application/apply-patch+yaml", "application/apply-patch+cbor"):
            return self._apply(request, target, body)
        old = self._store.get(target.kind, target.namespace, target.name)
        obj, warnings = self._decoded(request, target, _patched(content, target, copied(old), body))
        _check_identity(target, obj)
        stored = self._registry.replace(
            target.kind, obj, subresource=target.subresource, dry_run=_dry_run(request)
        )
        return answer(stored, 200, warnings)

    def _apply(self, request: web.BaseRequest, target: Target, body: Any) -> web.Response:
        manager = request.query.get("fieldManager", "")
        if not manager:
            raise ApiError(
                422,
                "Invalid",
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
            )
        wanted, warnings = self._decoded(request, target, body, complete=False)
        old = self._store.find(target.kind, target.namespace, target.name)
        force = request.query.get("force", "") == "true"
        merged = apply(
            target.kind, copied(old) if old else None, wanted, manager, self._registry.now(), force=force
        )
        merged["metadata"].setdefault("name", target.name)
        if old is None:
            created = self._registry.create(target.kind, target.namespace, merged, dry_run=_dry_run(request))
            return answer(created, 201, warnings)
        stored = self._registry.replace(
            target.kind, merged, subresource=target.subresource, dry_run=_dry_run(request)
        )
        return answer(stored, 200, warnings)

    async def delete(self, request: web.BaseRequest, target: Target) -> web.Response:
        """DELETE of one object."""
        if target.subresource:
            raise no_such_path()
        options = _delete_options(request, await body_of(request, _DELETE_OPTIONS))
        deleted = self._registry.delete(target.kind, target.namespace, target.name, options)
        warnings = []
        if options.propagation is None and orphans_by_default(target.kind):
            warnings.append(_ORPHAN_WARNING)
        if deleted["metadata"].get("deletionTimestamp") or target.kind.plural == "pods":
            return answer(deleted, 200, warnings)
        details: Object = {"name": target.name, "kind": target.kind.plural, "uid": deleted["metadata"]["uid"]}
        if target.kind.group:
            details["group"] = target.kind.group
        success = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        }
        return answer(success, 200, warnings)

    async def delete_collection(self, request: web.BaseRequest, target: Target) -> web.Response:
        """DELETE of all selected objects."""
        options = _delete_options(request, await body_of(request, _DELETE_OPTIONS))
        selected = predicate(request, target)
        deleted = []
        for obj in self._store.objects(target.kind, target.namespace or None):
            if selected(obj):
                self._registry.delete(target.kind, namespace_of(obj), name_of(obj), options)
                deleted.append(obj)
        kind, version = f"{target.kind.name}List", target.kind.api_version
        meta = {"resourceVersion": str(self._store.revision)}
        return answer({"kind": kind, "apiVersion": version, "metadata": meta, "items": deleted})

    def _decoded(
        self, request: web.BaseRequest, target: Target, body: Any, *, complete: bool = True
    ) -> tuple[Object, list[str]]:
        """The body as the target's kind; unknown fields refuse, warn or vanish as the client asked."""
        if not isinstance(body, dict):
            raise bad_request("the request body is not an object")
        version, kind = body.get("apiVersion", target.kind.api_version), body.get("kind", target.kind.name)
        if (version, kind) != (target.kind.api_version, target.kind.name):
            raise bad_request(
                f"the API version in the data ({version}, Kind={kind}) does not match the expected API version "
                f"({target.kind.api_version}, Kind={target.kind.name})"
            )
        obj, unknown = decode(target.kind, body)
        if complete and "spec" not in obj and target.kind.plural in ("pods", "jobs"):
            obj["spec"] = {}
        if not unknown:
            return obj, []
        mode = request.query.get("fieldValidation") or "Warn"
        words = [unknown_field(path) for path in unknown]
        if mode == "Strict":
            raise cannot_handle(target.kind, f"strict decoding error: {', '.join(words)}")
        return obj, words if mode == "Warn" else []


def _patched(content: str, target: Target, obj: Object, body: Any) -> Any:
    if content == "application/json-patch+json":
        return json_patch(obj, body)
    if content == "application/merge-patch+json":
        return merge_patch(obj, body)
    if content in ("application/strategic-merge-patch+json", "application/json"):
        return strategic_merge(target.kind.schema, obj, body)
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
    )
    raise ApiError(415, "UnsupportedMediaType", message)


def _check_subresource(target: Target) -> None:
    allowed = ("", "status") if target.kind.has_status else ("",)
    if target.subresource not in allowed:
        raise no_such_path()


def _check_identity(target: Target, obj: Object) -> None:
    meta = obj["metadata"]
    if meta.setdefault("name", target.name) != target.name:
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
        )
    if target.kind.namespaced and meta.setdefault("namespace", target.namespace) != target.namespace:
        raise _namespace_mismatch()


def _namespace_mismatch() -> ApiError:
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request"
    )


def _dry_run(request: web.BaseRequest) -> bool:
    text = request.query.get("dryRun", "")
    if text not in ("", "All"):
        raise ApiError(
            422, "Invalid", f'invalid dryRun: Unsupported value: "{text}": supported values: "All"'
        )
    return text == "All"


def _delete_options(request: web.BaseRequest, body: Any) -> DeleteOptions:
    given: Object = body if isinstance(body, dict) else {}
    preconditions = given.get("preconditions") or {}
    grace = given.get("gracePeriodSeconds", number(request, "gracePeriodSeconds"))
    propagation = given.get("propagationPolicy") or request.query.get("propagationPolicy")
    if propagation is None and "orphanDependents" in given:
        propagation = "Orphan" if given["orphanDependents"] else "Background"
    if propagation not in (None, "Background", "Foreground", "Orphan"):
        raise ApiError(
            422,
            "Invalid",
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: '
            f'"{propagation}": supported values: "Background", "Foreground", "Orphan"',
        )
    return DeleteOptions(
        grace_period=grace,
        propagation=propagation,
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        dry_run=bool(given.get("dryRun")) or _dry_run(request),
    )
