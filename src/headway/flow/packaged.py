"""What a flow asks to be shipped with it: ``@package_sources``, ``@package_suffixes``, and mutators of people's own.

Here it is only noted, in pods too; the launcher looks for the files once code is to be shipped.
"""

import os
import sys
from typing import Any, Iterator, NamedTuple, Optional, Sequence, Tuple, Union

from headway.errors import FlowDefinitionError
from headway.flow.user_decorators import FlowMutator


class ContentType:
    """What a mutator's ``add_to_package`` can give, as the third part of what it yields.

    Attributes:
        USER_CONTENT: A file or a folder, and its place beside the flow's file.
        CODE_CONTENT: Likewise, and its place where packages are imported from.
        MODULE_CONTENT: The name of a module or package that can be imported here; it has no place.
        OTHER_CONTENT: A file of Metaflow's own bookkeeping, which nothing here reads.
    """

    USER_CONTENT = "user"
    CODE_CONTENT = "code"
    MODULE_CONTENT = "module"
    OTHER_CONTENT = "other"


_SHIPPED = (ContentType.USER_CONTENT, ContentType.CODE_CONTENT, ContentType.MODULE_CONTENT)


class Packaged(NamedTuple):
    """One thing to ship.

    Attributes:
        source: The file or folder here, the name of a module, or "" for the flow's own folder.
        place: Where it goes, relative; "" for a module and for the flow's own folder.
        kind: One of :class:`ContentType`.
        suffixes: Of a folder: which files, by the end of their name; None for those that ship anyway.
    """

    source: str
    place: str
    kind: str = ContentType.USER_CONTENT
    suffixes: Optional[Tuple[str, ...]] = None


_Path = Union[str, "os.PathLike[str]"]


class package_sources(FlowMutator):  # noqa: N801 - it is written as a decorator
    """Ship files and folders with the flow's code that stand elsewhere.

    ``@package_sources("../src/forecasting")`` above a flow's class lets its pods import ``forecasting``. It is
    for what the flow does not import where it is started: what it does import ships by itself.

    Args:
        sources: A path, a pair of a path and its place in the package, or a list of these. A path is relative
            to the folder of the flow's file; its place is its own name.
        arcname: The place of a single source.
        suffixes: Which files of folders ship, by the end of their name, as a list or as text with commas; by
            default those that ship of the flow's own folder.

    Raises:
        FlowDefinitionError: A place leads out of the package, or ``arcname`` is given for several sources.
    """

    def init(
        self, sources: Any, arcname: Optional[_Path] = None, suffixes: Union[str, Sequence[str], None] = None
    ) -> None:
        single = isinstance(sources, (str, os.PathLike)) or _is_pair(sources)
        pairs = [_pair(each) for each in ([sources] if single else sources)]
        if arcname is not None:
            if len(pairs) != 1:
                raise FlowDefinitionError(
                    f"@package_sources names {len(pairs)} sources, and one arcname.",
                    'Give each its place: [("../shared", "shared"), …].',
                )
            pairs = [(pairs[0][0], arcname)]
        self._sources = [
            (source, None if place is None else checked_place(os.fspath(place), "@package_sources"))
            for source, place in pairs
        ]
        self._suffixes = None if suffixes is None else _ends(suffixes)

    def add_to_package(self) -> Iterator[Packaged]:
        """The sources, for the launcher."""
        folder = os.path.dirname(os.path.abspath(sys.modules[self._flow_cls.__module__].__file__ or ""))
        for source, place in self._sources:
            found = os.path.realpath(os.path.join(folder, source))
            yield Packaged(found, place or os.path.basename(found), suffixes=self._suffixes)


class package_suffixes(FlowMutator):  # noqa: N801 - as above
    """Ship further files of the flow's folder: ``@package_suffixes([".yaml"])`` is ``--package-suffixes .yaml``.

    Args:
        suffixes: How their names end, as a list or as text with commas.
    """

    def init(self, suffixes: Union[str, Sequence[str]]) -> None:
        self._suffixes = _ends(suffixes)

    def add_to_package(self) -> Iterator[Packaged]:
        """The suffixes, for the launcher."""
        yield Packaged("", "", suffixes=self._suffixes)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], (str, os.PathLike))


def _pair(value: Any) -> Tuple[str, Optional[_Path]]:
    source, place = value if _is_pair(value) else (value, None)
    return os.fspath(source), place


def checked_place(place: str, who: str) -> str:
    """A place in the package, with slashes.

    Args:
        place: As written.
        who: Who wrote it, for words.

    Raises:
        FlowDefinitionError: It is none within the package.
    """
    parts = [part for part in place.replace(os.sep, "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or os.path.isabs(place):
        raise FlowDefinitionError(
            f"{who} gives a file the place {place!r} in the package.",
            'Name a relative one without "..", such as "vendor/client".',
        )
    return "/".join(parts)


def as_packaged(asked: Any, who: str) -> Packaged:
    """What a mutator yields of what it asks to be shipped.

    Args:
        asked: As it yields it: (file, place), (file or module, place, kind), or a :class:`Packaged`.
        who: The mutator, for words.

    Raises:
        FlowDefinitionError: It is none of these.
    """
    if isinstance(asked, Packaged):
        return asked
    parts = tuple(asked) if isinstance(asked, (tuple, list)) else ()
    kind = parts[2] if len(parts) == 3 else ContentType.USER_CONTENT
    if len(parts) not in (2, 3) or kind not in _SHIPPED:
        raise FlowDefinitionError(
            f"add_to_package of {who} yields {asked!r}.",
            "It yields (file, place), or (file or module, place, kind) with one of ContentType's USER_CONTENT, "
            "CODE_CONTENT and MODULE_CONTENT.",
        )
    if kind == ContentType.MODULE_CONTENT:
        return Packaged(str(parts[0]), "", kind)
    return Packaged(os.path.abspath(os.fspath(parts[0])), checked_place(os.fspath(parts[1]), who), kind)


def _ends(suffixes: Union[str, Sequence[str]]) -> Tuple[str, ...]:
    names = suffixes.split(",") if isinstance(suffixes, str) else suffixes
    found = [name.strip() for name in names if name.strip()]
    return tuple("" if name == "*" else name if name.startswith(".") else f".{name}" for name in found)
