"""What every object of the client has: a path, and a class above it and below it."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar, Dict, FrozenSet, Hashable, Iterable, List, Optional, Sequence, Type

from headway.client.errors import InvalidPathspecError, NamespaceMismatchError
from headway.client.facts import local_time
from headway.client.lookup import find_run
from headway.client.namespaces import get_namespace
from headway.client.pathspec import Path, parse_pathspec
from headway.client.places import roots
from headway.client.run_data import RunData
from headway.errors import NotFoundError
from headway.flow.current import current
from headway.flow.names import did_you_mean

#: Tasks, and what is below them, have attempts.
_FIRST_WITH_ATTEMPTS = 4
#: So many names are listed to somebody who asked for one that is not among them.
_MOST_NAMED = 30


class Entity(ABC):
    """A flow, or something in it.

    Args:
        pathspec: Where it is: ``Flow/run/step/task/artifact``, as far as its kind goes.
        *parts: The rest of the path, where it comes in parts: ``Task("F", run_id, "train", 2)``.
        attempt: Of a task or artifact: this attempt, not the one that counts; also after a whole path.

    Raises:
        InvalidPathspecError: The path is not one of this kind of object.
        NotFoundError: There is no such object.
        NamespaceMismatchError: It is not in the user namespace that is in use.
    """

    _depth: ClassVar[int] = 0
    #: By depth. Looked up, because a class is imported by the one above it and cannot import that one.
    _kinds: ClassVar[Dict[int, Type["Entity"]]] = {}
    _path: Path

    def __init_subclass__(cls, depth: int = 0) -> None:
        if depth:
            cls._depth = depth
            cls._kinds[depth] = cls

    def __init__(
        self, pathspec: str = "", *parts: object, attempt: Optional[int] = None, _namespace_check: bool = True
    ) -> None:
        kind = type(self).__name__
        has_attempts = self._depth >= _FIRST_WITH_ATTEMPTS
        if has_attempts and len(parts) == 1 and str(pathspec).count("/") == self._depth - 1:
            # As Metaflow has it: what follows a whole path is the attempt.
            given, parts = parts[0], ()
            attempt = attempt if given is None else _attempt_number(given)
        self._path = parse_pathspec(kind, self._depth, pathspec, parts)
        if attempt is not None and not has_attempts:
            raise InvalidPathspecError(f"A {kind} has no attempts; a Task or a DataArtifact has.")
        self._open(attempt)
        if _namespace_check and not self.is_in_namespace():
            raise self._outside()

    @property
    def id(self) -> str:
        """Its own name: the last part of its path."""
        return self._path[-1]

    @property
    def pathspec(self) -> str:
        """Its path: ``Flow/run/step``."""
        return "/".join(self._path)

    @property
    def path_components(self) -> List[str]:
        """The parts of its path."""
        return list(self._path)

    @property
    @abstractmethod
    def parent(self) -> Optional["Entity"]:
        """What it belongs to, None for a flow."""

    @property
    @abstractmethod
    def created_at(self) -> Optional[datetime]:
        """When it came to be, local time; None where that is not known yet."""

    @property
    def user_tags(self) -> FrozenSet[str]:
        """The tags that a person gave to its run."""
        return frozenset()

    @property
    def system_tags(self) -> FrozenSet[str]:
        """The tags that Headway gave to its run: ``user:ann``, ``runtime:dev`` and others."""
        return frozenset()

    @property
    def tags(self) -> FrozenSet[str]:
        """All tags of its run."""
        return self.user_tags | self.system_tags

    @property
    def origin_pathspec(self) -> Optional[str]:
        """What it was taken over from by ``resume``, None where it was not."""
        return None

    # What Metaflow's objects keep under names of their own, and programs read all the same.

    @property
    def _tags(self) -> FrozenSet[str]:
        return self.tags

    @property
    def _user_tags(self) -> FrozenSet[str]:
        return self.user_tags

    @property
    def _system_tags(self) -> FrozenSet[str]:
        return self.system_tags

    @property
    def _created_at(self) -> Optional[datetime]:
        return self.created_at

    @abstractmethod
    def is_in_namespace(self) -> bool:
        """Whether it is in the user namespace that is in use."""

    @abstractmethod
    def _open(self, attempt: Optional[int]) -> None:
        """Find it by its path."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and other._identity() == self._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> Hashable:
        return (type(self), self._path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pathspec!r})"

    def _missing(self, known: Iterable[str] = (), within: str = "") -> NotFoundError:
        """The error for an object that is not there.

        Args:
            known: What is there in its place.
            within: Why even the place is not there.
        """
        if within:
            return NotFoundError(f"{self!r} does not exist: {within}", self._of_metaflow() or _where())
        return NotFoundError(
            f"{self!r} does not exist", self._of_metaflow() or _suggest(self.id, known) or _where()
        )

    def _of_metaflow(self) -> str:
        """What to say where it is Metaflow's, "" where it is not."""
        from headway.client.metaflows_own import of_metaflow  # on the way to an error only

        return of_metaflow(*self._path[:2])

    def _missing_child(self, kind: str, name: object, known: Iterable[str]) -> KeyError:
        return KeyError(f"{self!r} has no {kind} {name!r}. {_suggest(str(name), known)}".strip())

    def _outside(self) -> NamespaceMismatchError:
        theirs = sorted(tag for tag in self.system_tags if tag.startswith("user:"))
        shown = f"namespace({theirs[0]!r}) shows it, " if theirs else ""
        hint = f"{shown}namespace(None) shows everything."
        if current.is_running_flow:
            # As the tag says whose it is, the flow need not.
            hint += f" Without a change of the flow: run --namespace={theirs[0] if theirs else 'user:NAME'}"
        return NamespaceMismatchError(f"{self!r} is not in the namespace {get_namespace()!r}", hint)


class InRun(Entity):
    """A run, or something in it."""

    _run: RunData

    @classmethod
    def _bound(cls, run: RunData, path: Path) -> Any:
        """One that is known to be there."""
        self = cls.__new__(cls)
        self._run, self._path = run, path
        return self

    @property
    def parent(self) -> Entity:
        """What it belongs to: an artifact to its task, a task to its step, a step to its run."""
        kind: Any = self._kinds[self._depth - 1]
        parent: Entity = kind._bound(self._run, self._path[:-1])
        return parent

    @property
    def created_at(self) -> Optional[datetime]:
        """When it came to be, local time; None where that is not known yet."""
        return local_time(self._run.summary.created)

    @property
    def user_tags(self) -> FrozenSet[str]:
        """The tags that a person gave to its run."""
        return self._run.tags

    @property
    def system_tags(self) -> FrozenSet[str]:
        """The tags that Headway gave to its run: ``user:ann``, ``runtime:dev`` and others."""
        return frozenset(self._run.summary.system_tags)

    def is_in_namespace(self) -> bool:
        """Whether it is in the user namespace that is in use."""
        return in_namespace(self._run, get_namespace())

    def _find_run(self) -> RunData:
        """The run that its path names.

        Raises:
            NotFoundError: It is in none of the places where runs are looked for.
        """
        flow, run = self._path[:2]
        found = find_run(flow, run)
        if found is None:
            raise self._missing(within=f"there is no run {flow}/{run}" if len(self._path) > 2 else "")
        return found

    def _tagged(self, tags: Sequence[str]) -> bool:
        """Whether it, and so everything in it, has all of these tags."""
        return not tags or self.tags.issuperset(tags)


def _attempt_number(given: object) -> int:
    try:
        return int(str(given))
    except ValueError:
        raise NotFoundError(f"There is no attempt {given!r}: attempts are numbers, from 0.") from None


def in_namespace(run: RunData, namespace: Optional[str]) -> bool:
    """Whether a run has this tag; every run is in the namespace None."""
    # Mostly it is one of the first, which cost no request.
    return namespace is None or namespace in run.summary.system_tags or namespace in run.tags


def _suggest(name: str, known: Iterable[str]) -> str:
    """What was probably meant, where there are few enough to name them all."""
    names = list(known)
    return did_you_mean(name, names) if len(names) <= _MOST_NAMED else ""


def _where() -> str:
    return f"Looked in {', '.join(roots())}; metadata('s3://bucket/prefix') looks elsewhere."
