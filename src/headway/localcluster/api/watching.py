"""Watches: initial state, changes, bookmarks, time limits."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

from aiohttp import web

from headway.localcluster.api.paths import Target
from headway.localcluster.api.respond import flag, number, wants_table
from headway.localcluster.api.selection import predicate
from headway.localcluster.api.tables import table
from headway.localcluster.objects.failures import ApiError, bad_request
from headway.localcluster.objects.kinds import Kind
from headway.localcluster.objects.meta import Object, encode
from headway.localcluster.objects.selectors import Predicate
from headway.localcluster.objects.store import Change, ChangeType, Store

_BOOKMARK_EVERY = 30.0
_DEFAULT_LIMIT = (1800, 3600)
_INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class Watcher:
    """Answers `watch`.

    Args:
        store: Where the objects live.
        stopping: Set when the server ends; open watches then end too.
    """

    def __init__(self, store: Store, stopping: asyncio.Event) -> None:
        self._store = store
        self._stopping = stopping
        self.frozen_until = 0.0
        self._open: set[asyncio.Task[Any]] = set()

    def drop_all(self) -> None:
        """Cut every open watch in the middle of its stream, as a broken network does."""
        for task in tuple(self._open):
            task.cancel()

    async def watch(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        """Stream changes until the client leaves or the time is over."""
        stream = _Stream(self._store, request, target)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        changes: asyncio.Queue[Change] = asyncio.Queue()
        try:
            opening = stream.opening()
        except ApiError as error:
            if error.code != 410:
                raise
            opening = [encode({"type": "ERROR", "object": error.status()}) + b"\n"]
            await response.prepare(request)
            await response.write(b"".join(opening))
            return response
        leave = self._store.subscribe(target.kind, changes.put_nowait)
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await response.prepare(request)
            if opening:
                await response.write(b"".join(opening))
            limit = number(request, "timeoutSeconds") or random.randint(*_DEFAULT_LIMIT)  # noqa: S311
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._follow(response, stream, changes), limit)
        finally:
            leave()
            self._open.discard(task)
        return response

    async def _follow(
        self, response: web.StreamResponse, stream: _Stream, changes: asyncio.Queue[Change]
    ) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            try:
                batch = [await asyncio.wait_for(changes.get(), _BOOKMARK_EVERY)]
            except asyncio.TimeoutError:
                if stream.bookmarks and loop.time() >= self.frozen_until:
                    await response.write(stream.bookmark(self._store.revision))
                continue
            await asyncio.sleep(self.frozen_until - loop.time())
            while not changes.empty():
                batch.append(changes.get_nowait())
            lines = b"".join(line for change in batch if (line := stream.line(change)))
            if not lines:
                continue
            try:
                await response.write(lines)
            except ConnectionError:
                return


class _Stream:
    """What one watch sends; knows its selectors, its format and what it has begun with."""

    def __init__(self, store: Store, request: web.BaseRequest, target: Target) -> None:
        self._store = store
        self._request = request
        self._target = target
        self._kind: Kind = target.kind
        self._selected: Predicate = predicate(request, target)
        self._selective = bool(target.namespace or target.name or request.query.get("labelSelector")) or bool(
            request.query.get("fieldSelector")
        )
        self._as_table = wants_table(request)
        self._columns_sent = False
        self.bookmarks = flag(request, "allowWatchBookmarks")

    def opening(self) -> list[bytes]:
        """The lines that bring the client from its version to now.

        Raises:
            ApiError: 410, its version is too old; 400, it is not a version.
        """
        text = self._request.query.get("resourceVersion", "")
        initial = flag(self._request, "sendInitialEvents")
        if initial or text in ("", "0"):
            namespace = self._target.namespace or None
            lines = [
                self._encoded("ADDED", obj)
                for obj in self._store.objects(self._kind, namespace)
                if self._selected(obj)
            ]
            if initial and self.bookmarks:
                lines.append(self.bookmark(self._store.revision, ends_initial=True))
            return lines
        if not text.isdigit():
            raise bad_request(f'Invalid value: "{text}": invalid resource version')
        return [
            line
            for change in self._store.changes_since(self._kind, int(text))
            if (line := self.line(change)) is not None
        ]

    def line(self, change: Change) -> bytes | None:
        """What this watch sends for a change; None where it concerns nothing selected."""
        kind = self._seen_as(change)
        if kind is None:
            return None
        return self._encoded(kind, change.new) if self._as_table else change.line(kind)

    def _seen_as(self, change: Change) -> ChangeType | None:
        if not self._selective:
            return change.type
        before = change.old is not None and self._selected(change.old)
        after = change.type != "DELETED" and self._selected(change.new)
        if after:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else None

    def bookmark(self, revision: int, *, ends_initial: bool = False) -> bytes:
        """A line that says up to where the client has seen everything."""
        meta: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
        if ends_initial:
            meta["annotations"] = {_INITIAL_EVENTS_END: "true"}
        obj: Object = {"kind": self._kind.name, "apiVersion": self._kind.api_version, "metadata": meta}
        if self._as_table:
            obj = table(self._kind, [], str(revision), self._request, columns=False)
        return encode({"type": "BOOKMARK", "object": obj}) + b"\n"

    def _encoded(self, change: ChangeType, obj: Object) -> bytes:
        if self._as_table:
            revision = obj["metadata"]["resourceVersion"]
            obj = table(self._kind, [obj], revision, self._request, columns=not self._columns_sent)
            self._columns_sent = True
        return encode({"type": change, "object": obj}) + b"\n"
