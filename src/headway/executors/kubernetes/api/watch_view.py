"""What a watch knows: the objects seen so far, and what each line or list changes about them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from headway.executors.kubernetes.api.types import KubernetesObject
from headway.executors.kubernetes.api.watch_lines import Change

T = TypeVar("T", bound=KubernetesObject)


@dataclass(frozen=True, slots=True)
class Synced(Generic[T]):
    """Everything there is: at the beginning, and again where the server had forgotten our place.

    What vanished unseen was reported as `Deleted` just before.

    Args:
        objects: The objects.
        resource_version: The version of the cluster's state that they show.
    """

    objects: tuple[T, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Added(Generic[T]):
    """An object came into being, or began to match the selectors."""

    object: T


@dataclass(frozen=True, slots=True)
class Modified(Generic[T]):
    """An object changed."""

    object: T


@dataclass(frozen=True, slots=True)
class Deleted(Generic[T]):
    """An object is gone, or ceased to match the selectors; this is its last known state."""

    object: T


class View(Generic[T]):
    """The objects that a watch has told of and that matter still, and up to which version.

    Args:
        matters: Whether it would be of interest that the object vanished; of others nothing is kept.

    Attributes:
        version: Everything up to this version was told; None means that only a list can tell.
    """

    def __init__(self, matters: Callable[[T], bool] = lambda _: True) -> None:
        self.version: str | None = None
        self._matters = matters
        self._objects: dict[str, T] = {}

    def replace(self, objects: Iterable[T], version: str) -> list[Deleted[T] | Synced[T]]:
        """Take over a fresh list.

        Args:
            objects: All objects there are.
            version: The list's version.

        Returns:
            A deletion for each object that mattered and is no longer there, then the whole.
        """
        present = {_key(obj): obj for obj in objects}
        vanished = [Deleted(obj) for key, obj in self._objects.items() if key not in present]
        self._objects = {key: obj for key, obj in present.items() if self._matters(obj)}
        self.version = version
        return [*vanished, Synced(tuple(present.values()), version)]

    def apply(self, change: Change[T]) -> Added[T] | Modified[T] | Deleted[T] | None:
        """Take over one line of the stream.

        Args:
            change: What the line says.

        Returns:
            What to tell; None for a bookmark.
        """
        obj = change.object
        self.version = obj.metadata.resource_version or self.version
        if change.type == "DELETED":
            self._objects.pop(_key(obj), None)
            return Deleted(obj)
        if change.type not in ("ADDED", "MODIFIED"):
            return None
        known = _key(obj) in self._objects
        if self._matters(obj):
            self._objects[_key(obj)] = obj
        else:
            self._objects.pop(_key(obj), None)
        return Modified(obj) if known else Added(obj)


def _key(obj: KubernetesObject) -> str:
    # By uid: an object deleted and made again under the same name is another one.
    return obj.metadata.uid
