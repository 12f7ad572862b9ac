"""The objects of the cluster in memory, with resource versions and a history for watches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Literal

from headway.localcluster.objects.failures import already_exists, conflict, expired, not_found
from headway.localcluster.objects.kinds import KINDS, Kind
from headway.localcluster.objects.meta import Object, copied, encode, name_of, namespace_of

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]
Listener = Callable[["Change"], None]

_HISTORY = 4000


class Change:
    """One write: what the object was and what it is.

    Attributes:
        revision: The resource version the write got.
        kind: The kind written.
        type: What a watcher without selectors sees.
        new: The object after the write; for a deletion, its last state with the deletion's version.
        old: The object before; None where it was created.
    """

    __slots__ = ("_lines", "kind", "new", "old", "revision", "type")

    def __init__(
        self, revision: int, kind: Kind, change: ChangeType, new: Object, old: Object | None
    ) -> None:
        self.revision = revision
        self.kind = kind
        self.type = change
        self.new = new
        self.old = old
        self._lines: dict[str, bytes] = {}

    def line(self, change: ChangeType) -> bytes:
        """The watch event, encoded once however many watchers there are."""
        if change not in self._lines:
            self._lines[change] = encode({"type": change, "object": self.new}) + b"\n"
        return self._lines[change]


class Store:
    """Objects by kind, namespace and name.

    Objects are never changed in place: what `get` and `objects` return is shared, a writer copies first,
    and `create` and `update` take over the object they are given. One event loop uses it; every method
    is atomic because none awaits.
    """

    def __init__(self) -> None:
        self._revision = 1
        self._compacted = 0
        self._tables: dict[Kind, dict[tuple[str, str], Object]] = {kind: {} for kind in KINDS}
        self._history: dict[Kind, deque[Change]] = {kind: deque(maxlen=_HISTORY) for kind in KINDS}
        self._forgotten = dict.fromkeys(KINDS, 0)
        self._listeners: dict[Kind, list[Listener]] = {kind: [] for kind in KINDS}

    @property
    def revision(self) -> int:
        """The resource version of the latest write."""
        return self._revision

    @property
    def oldest_revision(self) -> int:
        """The version before which history was dropped on purpose; pages of lists older than it are gone."""
        return self._compacted

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """The object.

        Raises:
            ApiError: 404.
        """
        found = self.find(kind, namespace, name)
        if found is None:
            raise not_found(kind.group, kind.plural, name)
        return found

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        return self._tables[kind].get((namespace, name))

    def objects(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, or those of one namespace, in the order of their keys."""
        table = self._tables[kind]
        return [table[key] for key in sorted(table) if namespace is None or key[0] == namespace]

    def count(self, kind: Kind) -> int:
        """How many objects of a kind there are."""
        return len(self._tables[kind])

    def create(self, kind: Kind, obj: Object) -> Object:
        """Store a new object; its metadata is complete except for the resource version.

        Raises:
            ApiError: 409, the name is taken.
        """
        key = (namespace_of(obj), name_of(obj))
        if key in self._tables[kind]:
            raise already_exists(kind.group, kind.plural, key[1])
        return self._write(kind, key, "ADDED", obj, None)

    def update(self, kind: Kind, obj: Object) -> Object:
        """Replace an object; a resource version in it must be the current one.

        An update that changes nothing writes nothing, as in Kubernetes.

        Raises:
            ApiError: 404, or 409 where the version or uid is not the current one.
        """
        key = (namespace_of(obj), name_of(obj))
        old = self.get(kind, *key)
        meta, before = obj["metadata"], old["metadata"]
        if meta.get("uid", before["uid"]) != before["uid"]:
            wanted, actual = meta["uid"], before["uid"]
            why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {actual}"
            raise conflict(kind.group, kind.plural, key[1], why)
        if meta.get("resourceVersion", before["resourceVersion"]) != before["resourceVersion"]:
            why = (
                "the object has been modified; please apply your changes to the latest version and try again"
            )
            raise conflict(kind.group, kind.plural, key[1], why)
        meta["uid"] = before["uid"]
        meta["resourceVersion"] = before["resourceVersion"]
        if obj == old:
            return old
        return self._write(kind, key, "MODIFIED", obj, old)

    def modify(
        self, kind: Kind, namespace: str, name: str, change: Callable[[Object], None]
    ) -> Object | None:
        """Copy an object, let `change` work on the copy, store it; None if the object is gone."""
        old = self.find(kind, namespace, name)
        if old is None:
            return None
        draft = copied(old)
        change(draft)
        return self.update(kind, draft)

    def remove(self, kind: Kind, namespace: str, name: str) -> Object:
        """Take an object out.

        Raises:
            ApiError: 404.
        """
        old = self.get(kind, namespace, name)
        return self._write(kind, (namespace, name), "DELETED", copied(old), old)

    def changes_since(self, kind: Kind, revision: int) -> Iterator[Change]:
        """The history of a kind after a resource version.

        Raises:
            ApiError: 410, the version fell out of the history.
        """
        if revision < self._forgotten[kind]:
            raise expired(revision, self._forgotten[kind])
        return (change for change in list(self._history[kind]) if change.revision > revision)

    def advance(self, revision: int) -> None:
        """Go on from a resource version of an earlier life; what is older is gone for watches."""
        self._revision = max(self._revision, revision)
        self.forget_history()

    def forget_history(self) -> None:
        """Drop the history, as compaction does: every older watch and list page is now 410."""
        self._compacted = self._revision
        for kind in KINDS:
            self._history[kind].clear()
            self._forgotten[kind] = self._revision

    def subscribe(self, kind: Kind, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every later change of a kind, until the returned function is called."""
        listeners = self._listeners[kind]
        listeners.append(listener)

        def leave() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return leave

    def _write(
        self, kind: Kind, key: tuple[str, str], change: ChangeType, obj: Object, old: Object | None
    ) -> Object:
        self._revision += 1
        meta: dict[str, Any] = obj["metadata"]
        meta["resourceVersion"] = str(self._revision)
        if change == "DELETED":
            del self._tables[kind][key]
        else:
            self._tables[kind][key] = obj
        history = self._history[kind]
        if len(history) == _HISTORY:
            self._forgotten[kind] = history[0].revision
        record = Change(self._revision, kind, change, obj, old)
        history.append(record)
        for listener in tuple(self._listeners[kind]):
            listener(record)
        return obj
