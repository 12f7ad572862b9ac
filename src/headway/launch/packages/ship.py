"""Brings the packages that steps ask for where they run: to the datastore, once per set, or to a folder here."""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from headway.launch.bundle.plan import readable
from headway.launch.packages.cache import PackageCache, Resolved
from headway.launch.packages.wanted import Wanted
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Packages
from headway.store.parallel import run_parallel

#: Parts sent at a time.
_AT_ONCE = 8


class Notes(Protocol):
    """Who hears what ships."""

    def note(self, message: str) -> None: ...


def ship_packages(
    store: ObjectStore,
    flow: str,
    wanted: Mapping[str, Wanted],
    cache: PackageCache,
    notes: Notes,
    *,
    anew: bool = False,
) -> dict[str, Packages]:
    """Resolve and ship the packages of all steps, each set once.

    Args:
        store: The datastore.
        flow: The flow's name.
        wanted: By step.
        cache: What was resolved here before.
        notes: Hears of each set.
        anew: Resolve again what was resolved before.

    Returns:
        By step, how it is told of them.

    Raises:
        UsageError: They cannot be resolved.
        StoreError: They cannot be stored.
    """
    found: dict[Wanted, Packages] = {}
    for want in dict.fromkeys(wanted.values()):
        steps = [step for step, other in wanted.items() if other == want]
        if anew or cache.find(want) is None:
            notes.note(f"Packages: resolving {', '.join(want.requirements)} for {want.target}.")
        resolved = cache.resolve(want, anew=anew)
        if not want.target.is_here:
            upload(store, flow, resolved)
        found[want] = resolved.packages
        notes.note(f"Packages: {summary(resolved, steps)}.")
    return {step: found[want] for step, want in wanted.items()}


def package_lines(wanted: Mapping[str, Wanted], cache: PackageCache) -> list[str]:
    """A line for each package of each step, as far as it is known without resolving anything."""
    lines = []
    for step, want in wanted.items():
        found = cache.find(want)
        size = readable(found.size) if found is not None else "?"
        words = (
            found.versions
            if found is not None
            else (f"{name} (not resolved yet)" for name in want.requirements)
        )
        lines += [f"packages   {word}  (step {step}, {want.target}; {size} in all)" for word in words]
    return lines


def summary(resolved: Resolved, steps: list[str]) -> str:
    """``3 for step train, 17 MB (cached)``."""
    which = f"step {steps[0]}" if len(steps) == 1 else f"steps {', '.join(steps)}"
    cached = " (cached)" if resolved.cached else ""
    return f"{len(resolved.versions)} for {which}, {readable(resolved.size)}{cached}"


def upload(store: ObjectStore, flow: str, resolved: Resolved) -> None:
    """Send a set's parts, and then the list that names them, unless it is there."""
    index = layout.packages(flow, resolved.packages.sha256)
    if store.size(index) is not None:
        return
    run_parallel([partial(_send, store, flow, resolved, sha256) for sha256 in resolved.parts], _AT_ONCE)
    store.put(index, resolved.index())


def _send(store: ObjectStore, flow: str, resolved: Resolved, sha256: str) -> None:
    key = layout.packages(flow, sha256)
    if store.size(key) is None:
        store.put(key, resolved.part(sha256))
