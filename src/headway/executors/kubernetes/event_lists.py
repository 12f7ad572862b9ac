"""Reads the events of what stands still: thing by thing, or all of one kind at once where many things stand still.

An API server keeps events in its store alone and looks at all of a namespace whatever the question is: one list of them
costs it no more than one about a single pod. Its answer is longer, though, by what everybody else's pods have to tell;
so there is a bound to it, beyond which it is one by one for good.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import ApiError, Forbidden
from headway.executors.kubernetes.api.kinds import EVENT
from headway.executors.kubernetes.api.types import Event

#: Things of one kind that are asked about one by one.
_ONE_BY_ONE = 8
#: Events of one list: some megabytes.
_MOST = 5000


class About(NamedTuple):
    """Events of this kind of thing, with this reason, or with any where it is ""."""

    namespace: str
    kind: str
    reason: str = ""

    def selector(self, name: str | None = None) -> str:
        """The field selector for them, of all such things or of one."""
        parts = {"kind": self.kind, "name": name}
        fields = [f"involvedObject.{key}={value}" for key, value in parts.items() if value is not None]
        return ",".join([*fields, f"reason={self.reason}"] if self.reason else fields)


class EventLists:
    """Answers what the events of something say.

    Args:
        client: The cluster.
        room: For how many questions there is room at a time.

    Attributes:
        closed: The namespaces whose events may not be listed.
    """

    def __init__(self, client: KubernetesClient, room: asyncio.Semaphore) -> None:
        self._client = client
        self._room = room
        self.closed: set[str] = set()
        # None where they may not be read.
        self._listed: dict[About, Mapping[str, Sequence[Event]] | None] = {}
        self._crowded: set[About] = set()

    async def expect(self, questions: Iterable[About]) -> None:
        """Get ready for these questions, one of them for each thing; what was listed for earlier ones is forgotten."""
        self._listed.clear()
        wanted = [about for about, count in Counter(questions).items() if count > _ONE_BY_ONE]
        await asyncio.gather(*(self._list(about) for about in wanted if about not in self._crowded))

    async def of(self, about: About, name: str) -> Sequence[Event] | None:
        """The events of the thing of this name, None where they cannot be read."""
        if about in self._listed:
            listed = self._listed[about]
            return listed.get(name, ()) if listed is not None else None
        return await self._read(about, name)

    async def _list(self, about: About) -> None:
        found = await self._read(about, None)
        if found is None:
            if about.namespace in self.closed:
                self._listed[about] = None
        elif len(found) >= _MOST:
            self._crowded.add(about)
        else:
            listed: defaultdict[str, list[Event]] = defaultdict(list)
            for event in found:
                listed[event.involved_object.name].append(event)
            self._listed[about] = listed

    async def _read(self, about: About, name: str | None) -> Sequence[Event] | None:
        selector = about.selector(name)
        try:
            async with self._room:
                found = await self._client.list(EVENT, about.namespace, field_selector=selector, most=_MOST)
        except Forbidden:
            self.closed.add(about.namespace)
            return None
        except ApiError:
            return None
        self.closed.discard(about.namespace)
        return found.items
