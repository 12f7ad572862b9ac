"""The fake server itself: HTTP over loopback in front of the state, with faults in between."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, NamedTuple

from aiohttp import web

from headway.executors.kubernetes.api.access import AuthSettings, ClusterAccess
from headway.testing.fake_kubernetes.answers import Answers, Refusal
from headway.testing.fake_kubernetes.faults import Fault
from headway.testing.fake_kubernetes.jobs import JobController
from headway.testing.fake_kubernetes.lives import PodLives
from headway.testing.fake_kubernetes.routes import Route, routed
from headway.testing.fake_kubernetes.state import ClusterState, Manifest
from headway.testing.fake_kubernetes.watching import Watcher


class SeenRequest(NamedTuple):
    """A request the server received, faults or not.

    Args:
        verb: The API's verb.
        resource: The plural, with its subresource ("pods/log").
        namespace: The namespace; empty for all.
        name: The object's name; empty for a collection.
        query: The URL's query.
        body: The decoded body, None if there was none.
        headers: The headers.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


def _now() -> datetime:
    return datetime.now(timezone.utc)


class FakeKubernetes(PodLives):
    """A Kubernetes API server in memory; an async context manager.

    Args:
        namespaces: Those that exist at the beginning.
        run_jobs: Whether Jobs get pods.
        bookmark_every: Seconds between the bookmarks of a watch.
        now: The time, for time stamps.

    Attributes:
        state: The objects, for a test to look at and to change.
        requests: What was asked, in order.
        watchers: The watches that are open.
        tokens: The bearer tokens accepted; everybody is welcome while it is empty.
    """

    def __init__(
        self,
        *,
        namespaces: tuple[str, ...] = ("default",),
        run_jobs: bool = True,
        bookmark_every: float = 60.0,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.state = ClusterState(now)
        super().__init__(self.state)
        self.requests: list[SeenRequest] = []
        self.watchers: list[Watcher] = []
        self.tokens: set[str] = set()
        self._answers = Answers(self.state)
        self._bookmark_every = bookmark_every
        self._faults: list[Fault] = []
        self._logs: dict[str, tuple[list[bytes], bool]] = {}
        self._log_grew = asyncio.Event()
        self._log_readers: list[web.BaseRequest] = []
        self._runner: web.ServerRunner | None = None
        self._port = 0
        self._jobs = JobController(self.state) if run_jobs else None
        for name in namespaces:
            self.namespace(name)

    async def __aenter__(self) -> "FakeKubernetes":
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        for watcher in self.watchers:
            watcher.end()
        await self._runner.cleanup()

    @property
    def server(self) -> str:
        """The server's URL."""
        return f"http://127.0.0.1:{self._port}"

    def access(self, *, namespace: str = "default", auth: AuthSettings | None = None) -> ClusterAccess:
        """Return how to reach this server.

        Args:
            namespace: The default namespace.
            auth: Who we are; nobody in particular if None.
        """
        return ClusterAccess(
            server=self.server,
            namespace=namespace,
            source="the fake cluster",
            auth=auth or AuthSettings(),
        )

    # What a test sets up

    def namespace(self, name: str) -> None:
        """Create a namespace."""
        body = {"kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}}
        self.state.add("namespaces", "", body)

    def fault(self, fault: Fault) -> None:
        """Let something go wrong; faults strike in the order they were set."""
        self._faults.append(fault)

    def deny(self, verb: str, resource: str) -> None:
        """Take a permission away; "*" stands for any."""
        self._answers.denied.add((verb, resource))

    def allow(self, verb: str, resource: str) -> None:
        """Give a permission back."""
        self._answers.denied.discard((verb, resource))

    def compact(self) -> None:
        """Forget the history: older versions are answered 410 from now on."""
        self.state.compact()

    def log(self, pod: str, *lines: str, end: bool = False) -> None:
        """Add lines to a pod's log.

        Args:
            pod: The pod's name.
            *lines: The lines, without their ends.
            end: Whether these are the last; who follows the log waits for more otherwise.
        """
        known, _ = self._logs.get(pod, ([], False))
        self._logs[pod] = (known + [line.encode() for line in lines], end)
        self._log_grew.set()
        self._log_grew = asyncio.Event()

    def cut_logs(self) -> None:
        """Cut the connections of those who follow logs."""
        for request in self._log_readers:
            _cut(request)

    # What a test looks at

    def seen(self, verb: str | None = None, resource: str | None = None) -> list[SeenRequest]:
        """Return the requests received, of one verb or for one resource if given."""
        return [
            request
            for request in self.requests
            if verb in (None, request.verb) and resource in (None, request.resource)
        ]

    # HTTP

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        query = dict(request.query)
        # Not `text()`, which takes less than an API server does.
        text = await request.content.read()
        body = json.loads(text) if text else None
        if request.path == "/version":
            return web.json_response(
                {"major": "1", "minor": "36", "gitVersion": "v1.36.0", "platform": "fake"}
            )
        route = routed(request.method, request.path, query.get("watch") == "true")
        if route is None:
            return web.Response(status=404, text="404 page not found")
        resource = f"{route.resource}/{route.subresource}" if route.subresource else route.resource
        self.requests.append(
            SeenRequest(route.verb, resource, route.namespace, route.name, query, body, dict(request.headers))
        )
        fault = next((fault for fault in self._faults if fault.hits(route.verb, resource)), None)
        if fault is not None and fault.action != "reset_after":
            return await self._struck(request, fault)
        try:
            response = await self._answered(request, route, query, body)
        except Refusal as refusal:
            response = web.json_response(refusal.body(), status=refusal.code)
        if fault is not None:
            _cut(request)
        return response

    async def _answered(
        self, request: web.BaseRequest, route: Route, query: dict[str, str], body: Any
    ) -> web.StreamResponse:
        self._authenticate(request)
        self._answers.authorize(route)
        if route.verb == "watch":
            watcher = Watcher(self.state, route, query, self._bookmark_every)
            self.watchers.append(watcher)
            try:
                return await watcher.serve(request)
            finally:
                self.watchers.remove(watcher)
        if route.subresource == "log":
            return await self._send_log(request, route, query)
        status, answer = self._answers.answer(route, query, body)
        return web.json_response(answer, status=status)

    def _authenticate(self, request: web.BaseRequest) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens and token not in self.tokens:
            raise Refusal(401, "Unauthorized", "Unauthorized")

    async def _struck(self, request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
        wanted = {"Retry-After": fault.retry_after, "Location": fault.location}
        headers = {name: str(value) for name, value in wanted.items() if value is not None}
        if fault.action == "reset":
            _cut(request)
        elif fault.action == "hang":
            await asyncio.Event().wait()
        elif fault.action == "garbage":
            return web.Response(text="<html>Please log in</html>", content_type="text/html")
        elif fault.plain:
            return web.Response(status=fault.status, text="upstream trouble", headers=headers)
        body: Manifest = Refusal(fault.status, fault.reason, fault.message, fault.details).body()
        return web.json_response(body, status=fault.status, headers=headers)

    async def _send_log(
        self, request: web.BaseRequest, route: Route, query: dict[str, str]
    ) -> web.StreamResponse:
        if route.name not in self._logs:
            pod = self.state.get("pods", route.namespace, route.name)
            if pod is None:
                raise Refusal(
                    404, "NotFound", f'pods "{route.name}" not found', {"name": route.name, "kind": "pods"}
                )
            message = f'container "main" in pod "{route.name}" is waiting to start: ContainerCreating'
            if not pod["spec"].get("nodeName"):
                return web.Response()  # as real servers do
            if pod["status"].get("phase") == "Pending":
                raise Refusal(400, "BadRequest", message)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        self._log_readers.append(request)
        sent = max(0, len(self._logs.get(route.name, ([], False))[0]) - int(query.get("tailLines", 1 << 30)))
        while True:
            grew = self._log_grew
            lines, ended = self._logs.get(route.name, ([], False))
            for line in lines[sent:]:
                await response.write(line + b"\n")
            sent = len(lines)
            if ended or query.get("follow") != "true":
                return response
            await grew.wait()


def _cut(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()
