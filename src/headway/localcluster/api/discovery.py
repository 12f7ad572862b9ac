"""Discovery, versions and the OpenAPI documents: what tells clients which resources there are."""

from __future__ import annotations

import platform
from typing import Any

from aiohttp import web

from headway.localcluster.api.respond import answer
from headway.localcluster.objects.failures import no_such_path
from headway.localcluster.objects.kinds import ALL_VERBS, KINDS, Kind
from headway.localcluster.objects.meta import Object, encode
from headway.localcluster.schema import openapi_v2
from headway.localcluster.schema.definitions import closure

VERSION = "v1.36.0"
_OPENAPI_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_AGGREGATED = "as=APIGroupDiscoveryList"

_SUBRESOURCES = {
    "pods": (
        ("log", "", "v1", "Pod", ("get",)),
        ("exec", "", "v1", "PodExecOptions", ("create", "get")),
        ("eviction", "policy", "v1", "Eviction", ("create",)),
        ("binding", "", "v1", "Binding", ("create",)),
    ),
    "serviceaccounts": (("token", "authentication.k8s.io", "v1", "TokenRequest", ("create",)),),
}
_REVIEWS = {
    "authorization.k8s.io/v1": (
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview", False),
        ("selfsubjectrulesreviews", "SelfSubjectRulesReview", False),
        ("subjectaccessreviews", "SubjectAccessReview", False),
        ("localsubjectaccessreviews", "LocalSubjectAccessReview", True),
    ),
    "authentication.k8s.io/v1": (("selfsubjectreviews", "SelfSubjectReview", False),),
}


def _group_versions() -> list[str]:
    ordered = dict.fromkeys(kind.api_version for kind in KINDS)
    return [*ordered, *_REVIEWS]


def handle(request: web.BaseRequest, parts: list[str]) -> web.Response | None:
    """The answer to a discovery path; None if the path is not one."""
    aggregated = _AGGREGATED in request.headers.get("Accept", "")
    if parts == ["version"]:
        return answer(_version())
    if parts in (["healthz"], ["livez"], ["readyz"]):
        return web.Response(text="ok")
    if parts == []:
        return answer({"paths": ["/api", "/api/v1", "/apis", "/openapi/v3", "/version"]})
    if parts == ["api"]:
        return _aggregated(["v1"]) if aggregated else answer(_legacy_versions(request))
    if parts == ["apis"]:
        groups = [version for version in _group_versions() if "/" in version]
        return _aggregated(groups) if aggregated else answer(_group_list(groups))
    if parts[0] == "api" and len(parts) == 2:
        return answer(_resource_list(parts[1]))
    if parts[0] == "apis" and len(parts) == 2:
        return answer(_group(parts[1]))
    if parts[0] == "apis" and len(parts) == 3:
        return answer(_resource_list(f"{parts[1]}/{parts[2]}"))
    if parts == ["openapi", "v2"]:
        return web.Response(body=openapi_v2.document(), content_type=_OPENAPI_V2)
    if parts[:2] == ["openapi", "v3"]:
        return _openapi("/".join(parts[2:]))
    return None


def _version() -> Object:
    major, minor, _ = VERSION[1:].split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{VERSION}+headway",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": "headway-localcluster",
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }


def _legacy_versions(request: web.BaseRequest) -> Object:
    address = [{"clientCIDR": "0.0.0.0/0", "serverAddress": request.host}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address}


def _group_list(versions: list[str]) -> Object:
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group_entry(version) for version in versions],
    }


def _group(name: str) -> Object:
    for version in _group_versions():
        if version.startswith(f"{name}/"):
            return {"kind": "APIGroup", "apiVersion": "v1", **_group_entry(version)}
    raise no_such_path()


def _group_entry(group_version: str) -> Object:
    group, _, version = group_version.partition("/")
    entry = {"groupVersion": group_version, "version": version}
    return {"name": group, "versions": [entry], "preferredVersion": entry}


def _resource_list(group_version: str) -> Object:
    if group_version not in _group_versions():
        raise no_such_path()
    resources: list[Object] = []
    for kind in KINDS:
        if kind.api_version == group_version:
            resources += _resources(kind)
    for plural, name, namespaced in _REVIEWS.get(group_version, ()):
        resources.append(
            {
                "name": plural,
                "singularName": name.lower(),
                "namespaced": namespaced,
                "kind": name,
                "verbs": ["create"],
            }
        )
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }


def _resources(kind: Kind) -> list[Object]:
    entry: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(ALL_VERBS),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    found = [entry]
    base = {"singularName": "", "namespaced": kind.namespaced}
    if kind.has_status:
        name = f"{kind.plural}/status"
        found.append({"name": name, **base, "kind": kind.name, "verbs": ["get", "patch", "update"]})
    for sub, group, version, name, verbs in _SUBRESOURCES.get(kind.plural, ()):
        found.append(
            {
                "name": f"{kind.plural}/{sub}",
                **base,
                "group": group,
                "version": version,
                "kind": name,
                "verbs": list(verbs),
            }
        )
    return found


def _aggregated(group_versions: list[str]) -> web.Response:
    items = []
    for group_version in group_versions:
        group, _, version = group_version.rpartition("/")
        resources = _resource_list(group_version)["resources"]
        meta = {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None}
        versions = [
            {"version": version, "resources": _nested(resources, group, version), "freshness": "Current"}
        ]
        items.append({"metadata": meta, "versions": versions})
    body = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }
    content = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    return web.Response(body=encode(body), headers={"Content-Type": content})


def _nested(resources: list[Object], group: str, version: str) -> list[Object]:
    """Resources with their subresources inside them, as aggregated discovery lists them."""
    found: dict[str, Object] = {}
    for entry in resources:
        plural, _, sub = entry["name"].partition("/")
        kind = {
            "group": entry.get("group", group),
            "version": entry.get("version", version),
            "kind": entry["kind"],
        }
        if sub:
            nested = {"subresource": sub, "responseKind": kind, "verbs": entry["verbs"]}
            found[plural].setdefault("subresources", []).append(nested)
            continue
        found[plural] = {
            "resource": plural,
            "responseKind": kind,
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "singularResource": entry["singularName"],
            "verbs": entry["verbs"],
        }
        for name in ("shortNames", "categories"):
            if name in entry:
                found[plural][name] = entry[name]
    return list(found.values())


def _openapi(path: str) -> web.Response:
    by_path = {_openapi_path(version): version for version in _group_versions()}
    if not path:
        paths = {known: {"serverRelativeURL": f"/openapi/v3/{known}"} for known in by_path}
        return answer({"paths": paths})
    if path not in by_path:
        raise no_such_path()
    return answer(_document(by_path[path], path))


def _openapi_path(group_version: str) -> str:
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def _document(group_version: str, path: str) -> Object:
    """The document of one group: its definitions, and that a patch takes `fieldValidation`.

    kubectl reads the latter to leave validation to the server; strategic merge is not announced, so kubectl
    computes such patches from the merge keys it was built with.
    """
    kinds = [kind for kind in KINDS if kind.api_version == group_version]
    schemas = closure([kind.schema for kind in kinds])
    paths: dict[str, Any] = {}
    for kind in kinds:
        group_kind = {"group": kind.group, "version": kind.version, "kind": kind.name}
        schemas[kind.schema] = {**schemas[kind.schema], "x-kubernetes-group-version-kind": [group_kind]}
        scope = "/namespaces/{namespace}" if kind.namespaced else ""
        parameters = [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in ("dryRun", "fieldManager", "fieldValidation", "force")
        ]
        content = {"application/apply-patch+yaml": {"schema": {"type": "object"}}}
        paths[f"/{path}{scope}/{kind.plural}/{{name}}"] = {
            "patch": {
                "parameters": parameters,
                "requestBody": {"content": content},
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": group_kind,
            }
        }
    info = {"title": "Kubernetes", "version": VERSION}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}
