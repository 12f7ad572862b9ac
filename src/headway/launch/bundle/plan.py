"""What a bundle will hold, as plain values: nothing has been read or packed yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headway.errors import SettingsError

#: Bytes of a bundle above which a person is asked, before compression.
DEFAULT_MAX_SIZE = 50_000_000

#: The setting that raises the limit, as it is typed.
MAX_SIZE_OPTION = "--package-max-size"


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file that ships.

    Attributes:
        path: Its place in the bundle, relative, with slashes.
        size: Bytes.
        source: The file here; None where ``content`` stands for it.
        content: The content itself, of a file that does not exist here.
        package: The package outside the flow's folder that it belongs to, "" for the flow's own files.
    """

    path: str
    size: int
    source: Path | None = None
    content: bytes | None = None
    package: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that does not ship.

    Attributes:
        path: Relative to the flow's folder (folders end with a slash), or absolute outside it.
        rule: Why, as a person can act on it: ``.gitignore: data/``, ``hidden``, …
        imported: Whether the flow imported it, so that it will be missed.
    """

    path: str
    rule: str
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a bundle will hold.

    Attributes:
        files: What ships, sorted by its place in the bundle.
        left_out: What does not, sorted; files of other suffixes are only counted.
        other_suffixes: How many files were not looked at, by suffix.
        packages: Packages from outside the flow's folder that ship too, sorted.
        paths: Import folders besides the flow's own, relative to the bundle's root.
    """

    files: tuple[BundleFile, ...]
    left_out: tuple[LeftOut, ...] = ()
    other_suffixes: Mapping[str, int] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files, before compression."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Oversize:
    """A bundle larger than a person probably meant; the command line asks, or raises :meth:`error`.

    Attributes:
        size: Bytes of the bundle.
        limit: Bytes above which it asks.
        largest: The files that weigh most, the heaviest first.
        source: Where the limit came from.
    """

    size: int
    limit: int
    largest: tuple[BundleFile, ...]
    source: str = "default"

    def question(self) -> str:
        """What to ask a person, who answers yes or no."""
        return f"{self.summary()} Ship it with every pod of this run?"

    def summary(self) -> str:
        """What is so large."""
        heaviest = ", ".join(f"{file.path} ({readable(file.size)})" for file in self.largest)
        return f"The code package holds {readable(self.size)}, most of it in {heaviest}."

    def error(self) -> SettingsError:
        """The same as an error, where nobody can be asked."""
        return SettingsError(
            MAX_SIZE_OPTION,
            readable(self.limit),
            self.summary()[0].lower() + self.summary()[1:-1],
            self.source,
            "List what the steps do not need in a .headwayignore beside the flow "
            f"(`package list` shows everything), or allow it: {MAX_SIZE_OPTION} {_next_limit(self.size)}",
        )


def oversize(plan: Plan, limit: int = DEFAULT_MAX_SIZE, source: str = "default") -> Oversize | None:
    """Whether a plan is so large that a person has to agree.

    Args:
        plan: The plan.
        limit: Bytes that need no question.
        source: Where the limit came from, for the error.
    """
    if plan.size <= limit:
        return None
    heaviest = sorted(plan.files, key=lambda file: (-file.size, file.path))[:5]
    return Oversize(plan.size, limit, tuple(heaviest), source)


def readable(size: float) -> str:
    """A size as people write it: ``512 B``, ``3.4 kB``, ``52 MB``; thousands, as storage is sold."""
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.5 else f"{size:.2g} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def parse_size(text: str, source: str = MAX_SIZE_OPTION) -> int:
    """Bytes from ``80``, ``80MB``, ``1.5 GB``; a bare number counts megabytes.

    Raises:
        SettingsError: It is no such size.
    """
    number = text.strip().upper().removesuffix("B").strip()
    factor = {"K": 1_000, "M": 1_000_000, "G": 1_000_000_000}.get(number[-1:], 0)
    try:
        size = float(number[:-1] if factor else number) * (factor or 1_000_000)
    except ValueError:
        size = -1
    if not 0 <= size < float("inf"):
        raise SettingsError(MAX_SIZE_OPTION, text, "a size such as 80MB or 1.5GB is allowed", source)
    return int(size)


def _next_limit(size: int) -> str:
    return f"{-(-size // 10_000_000) * 10}MB"
