"""The fake server's watches."""

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

from headway.testing.fake_kubernetes.answers import Refusal
from headway.testing.fake_kubernetes.routes import Route, kind_of
from headway.testing.fake_kubernetes.selectors import matches
from headway.testing.fake_kubernetes.state import Change, ClusterState, Manifest


class Watcher:
    """One open watch.

    Args:
        state: The cluster.
        route: What is watched.
        query: The URL's query.
        bookmark_every: Seconds between bookmarks.
    """

    def __init__(
        self, state: ClusterState, route: Route, query: Mapping[str, str], bookmark_every: float
    ) -> None:
        self._state = state
        self._route = route
        self._labels = query.get("labelSelector")
        self._fields = query.get("fieldSelector")
        self._since = int(query.get("resourceVersion") or 0)
        self._bookmark_every = bookmark_every if query.get("allowWatchBookmarks") == "true" else None
        self._lifetime = float(query.get("timeoutSeconds") or 1800)
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._frozen = False
        self._transport: asyncio.Transport | None = None

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send changes until the watch's time is over or it is ended."""
        if self._since and self._since < self._state.forgotten:
            gone = Refusal(
                410, "Expired", f"too old resource version: {self._since} ({self._state.forgotten})"
            )
            return web.json_response(_line("ERROR", gone.body()), content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        transport = request.transport
        assert transport is not None
        self._transport = transport
        for change in self._state.history:
            if change.version > self._since:
                self.notice(change)
        self._state.listeners.append(self.notice)
        try:
            await self._send(response)
        except ConnectionResetError:
            pass  # nobody listens any more
        finally:
            self._state.listeners.remove(self.notice)
        return response

    def notice(self, change: Change) -> None:
        """Send a change, if it is one of what is watched."""
        if change.resource != self._route.resource:
            return
        if self._route.namespace not in ("", change.object["metadata"].get("namespace", "")):
            return
        now = change.type != "DELETED" and matches(change.object, self._labels, self._fields)
        before = change.previous is not None and matches(change.previous, self._labels, self._fields)
        if now:
            type_ = "MODIFIED" if before else "ADDED"
        elif before:
            type_ = "DELETED"
        else:
            return
        if not self._frozen:
            self._queue.put_nowait(_encoded(type_, change.object))

    def error(self, refusal: Refusal) -> None:
        """Send an ERROR event."""
        self._queue.put_nowait(_encoded("ERROR", refusal.body()))

    def raw(self, data: bytes) -> None:
        """Send these bytes as they are."""
        self._queue.put_nowait(data)

    def bookmark(self) -> None:
        """Send a bookmark of the current version."""
        meta = {"resourceVersion": str(self._state.version), "creationTimestamp": None}
        self._queue.put_nowait(_encoded("BOOKMARK", {"kind": kind_of(self._route), "metadata": meta}))

    def freeze(self) -> None:
        """Send nothing more, and leave the connection open."""
        self._frozen = True

    def thaw(self) -> None:
        """Send again what comes from now on; what was held back is lost."""
        self._frozen = False

    def end(self) -> None:
        """End the watch as the server does when its time is over."""
        self._queue.put_nowait(None)

    def cut(self) -> None:
        """Cut the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def _send(self, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._lifetime
        while (left := ends - loop.time()) > 0:
            wait = left if self._bookmark_every is None else min(left, self._bookmark_every)
            try:
                data = await asyncio.wait_for(self._queue.get(), wait)
            except asyncio.TimeoutError:
                if wait < left and not self._frozen:
                    self.bookmark()
                continue
            if data is None:
                return
            await response.write(data)


def _line(type_: str, obj: Manifest) -> Manifest:
    return {"type": type_, "object": obj}


def _encoded(type_: str, obj: Manifest) -> bytes:
    return json.dumps(_line(type_, obj)).encode() + b"\n"
