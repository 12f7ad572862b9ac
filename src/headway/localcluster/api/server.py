"""The API server: who may ask, what is asked, and the answer or the refusal."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from headway.localcluster import faults
from headway.localcluster.admission.deletion import DeleteOptions
from headway.localcluster.admission.registry import Registry
from headway.localcluster.api import discovery, reviews
from headway.localcluster.api.authorization import Action, Authorizer
from headway.localcluster.api.exec import Executor
from headway.localcluster.api.identity import ADMIN, Tokens, User
from headway.localcluster.api.logs import LogReader
from headway.localcluster.api.paths import Target, resolve, split
from headway.localcluster.api.reading import Reader
from headway.localcluster.api.respond import answer, body_of, flag, refusal
from headway.localcluster.api.watching import Watcher
from headway.localcluster.api.writing import Writer
from headway.localcluster.disruption import disrupt
from headway.localcluster.idle import Idleness
from headway.localcluster.objects.failures import ApiError, no_such_path
from headway.localcluster.objects.kinds import POD, SERVICE_ACCOUNT
from headway.localcluster.objects.meta import Object

_log = logging.getLogger("headway.localcluster")
_OPEN_PATHS = ("healthz", "livez", "readyz")


@dataclass
class ApiServer:
    """Answers every request.

    Attributes:
        registry: The way into the store.
        tokens: Who is who.
        faults: What is switched on to go wrong.
        reader: Answers get and list.
        writer: Answers everything that changes objects.
        watcher: Answers watches.
        authorizer: Says who may do what.
        logs: Answers requests for logs.
        executor: Runs commands in containers.
        idleness: Is told of every request.
    """

    registry: Registry
    tokens: Tokens
    faults: faults.Faults
    reader: Reader
    writer: Writer
    watcher: Watcher
    authorizer: Authorizer
    logs: LogReader
    executor: Executor
    idleness: Idleness

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            with self.idleness:
                return await self._answered(request)
        except ApiError as error:
            return refusal(error)
        except ConnectionError:
            raise
        except Exception as error:
            _log.exception("%s %s", request.method, request.rel_url)
            return refusal(ApiError(500, "InternalError", f"Internal error occurred: {error}"))

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        user = _impersonated(request, self.tokens.user(request.headers.get("Authorization", "")))
        if user is None and parts[:1] not in [[path] for path in _OPEN_PATHS]:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if request.path.strip("/") == faults.PATH:
            return await self._switch(request)
        known = discovery.handle(request, parts)
        if known is not None:
            return known
        found = split(request.path)
        if found is None or user is None:
            raise no_such_path()
        group, version, rest = found
        return await self._resource(request, group, version, rest, user)

    async def _resource(
        self, request: web.BaseRequest, group: str, version: str, rest: list[str], user: User
    ) -> web.StreamResponse:
        kind = reviews.kind_of(group, rest)
        if kind:
            body = await body_of(request, reviews.definition(group, kind))
            return answer(reviews.review(self.authorizer, kind, body, user), 201)
        target = resolve(group, version, rest)
        self.authorizer.check(user, _action(request, target))
        fault = self.faults.for_request(request.method, target.kind.plural)
        if fault is None:
            return await self._dispatch(request, target)
        if fault.after:
            await self._dispatch(request, target)
        if fault.status == 0:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError
        raise faults.api_error(fault)

    async def _dispatch(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        method = request.method
        if target.subresource in ("log", "exec", "eviction", "token", "binding"):
            return await self._subresource(request, target)
        if method == "GET":
            if flag(request, "watch"):
                return await self.watcher.watch(request, target)
            return self.reader.get(request, target) if target.name else self.reader.list(request, target)
        if method == "POST" and not target.name:
            return await self.writer.create(request, target)
        if method == "PUT" and target.name:
            return await self.writer.update(request, target)
        if method == "PATCH" and target.name:
            return await self.writer.patch(request, target)
        if method == "DELETE":
            if target.name:
                return await self.writer.delete(request, target)
            return await self.writer.delete_collection(request, target)
        raise ApiError(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
        )

    async def _subresource(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        if target.kind is POD and target.subresource == "log":
            return await self.logs.read(request, target, self.registry.now())
        if target.kind is POD and target.subresource == "exec":
            return await self.executor.execute(request, target)
        if target.kind is POD and target.subresource == "eviction":
            return self._evict(target, await body_of(request))
        if target.kind is SERVICE_ACCOUNT and target.subresource == "token":
            now = self.registry.now()
            token = reviews.token_request(
                self.registry.store, self.tokens, target.namespace, target.name, now
            )
            return answer(token, 201)
        raise no_such_path()

    def _evict(self, target: Target, body: Any) -> web.Response:
        pod = self.registry.store.get(POD, target.namespace, target.name)
        given: Object = (body or {}).get("deleteOptions") or {}
        options = DeleteOptions(
            grace_period=given.get("gracePeriodSeconds"), dry_run=bool(given.get("dryRun"))
        )
        if not options.dry_run:
            disrupt(self.registry, pod, "EvictionByEvictionAPI", "Eviction API: evicting", options)
        return answer(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201
        )

    async def _switch(self, request: web.BaseRequest) -> web.Response:
        if request.method == "POST":
            body = await body_of(request)
            self.faults.switch_on(body if isinstance(body, dict) else {})
        elif request.method == "DELETE":
            self.faults.clear()
        return answer({"faults": self.faults.listed()})


def _impersonated(request: web.BaseRequest, user: User | None) -> User | None:
    """The user that the administrator asked to be taken for, as `kubectl --as` does."""
    name = request.headers.get("Impersonate-User")
    if user is None or name is None or user.name != ADMIN:
        return user
    return User(name, (*request.headers.getall("Impersonate-Group", []), "system:authenticated"))


def _action(request: web.BaseRequest, target: Target) -> Action:
    """What a request wants to do, in the words of roles."""
    verbs = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
    verb = verbs.get(request.method, "get")
    if not target.name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
        if verb == "list" and flag(request, "watch"):
            verb = "watch"
    sub = f"/{target.subresource}" if target.subresource else ""
    return Action(verb, target.kind.group, target.kind.plural + sub, target.namespace, target.name)
