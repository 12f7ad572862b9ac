"""Ships the flow's code to the datastore, once per content, and says what goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headway.config.sources import Configuration
from headway.flow.packaged import Packaged
from headway.launch.bundle.archive import pack
from headway.launch.bundle.collect import DEFAULT_SUFFIXES, collect, parse_suffixes
from headway.launch.bundle.describe import summary, warnings
from headway.launch.bundle.plan import DEFAULT_MAX_SIZE, Plan, oversize, parse_size
from headway.launch.origin import Origin
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Code


class Notes(Protocol):
    """Who hears what ships."""

    def note(self, message: str) -> None: ...

    def agree(self, question: str) -> bool: ...


@dataclass(frozen=True)
class BundleLimits:
    """What may ship.

    Attributes:
        suffixes: Which files, by the end of their name.
        max_size: Bytes above which a person has to agree.
        source: Where that limit came from.
    """

    suffixes: tuple[str, ...] = DEFAULT_SUFFIXES
    max_size: int = DEFAULT_MAX_SIZE
    source: str = "default"


def bundle_limits(
    configuration: Configuration,
    suffixes: str | None,
    max_size: str | None,
) -> BundleLimits:
    """The limits from the command line, else from the configuration.

    Raises:
        SettingsError: The size is no size.
    """
    found = configuration.first("PACKAGE_SUFFIXES", "DEFAULT_PACKAGE_SUFFIXES")
    listed = suffixes if suffixes is not None else str(found.value) if found else ""
    configured = configuration.get("PACKAGE_MAX_SIZE")
    limit, source = DEFAULT_MAX_SIZE, "default"
    if max_size is not None:
        limit, source = parse_size(max_size), "--package-max-size"
    elif configured is not None:
        limit, source = parse_size(str(configured.value), configured.source), configured.source
    return BundleLimits(parse_suffixes(listed), limit, source)


def plan_bundle(origin: Origin, limits: BundleLimits, asked: Sequence[Packaged] = ()) -> Plan:
    """What would ship; reads folders, but no file's content.

    Args:
        origin: How the flow was started.
        limits: What may ship.
        asked: What the flow's mutators ask to be shipped.
    """
    extra = {origin.code.main: origin.source.encode()} if origin.source is not None else None
    more = [end for each in asked if not each.source for end in each.suffixes or ()]
    sources = [each for each in asked if each.source]
    return collect(origin.code, (*limits.suffixes, *more), extra=extra, asked=sources)


def ship(
    store: ObjectStore,
    flow: str,
    origin: Origin,
    limits: BundleLimits,
    notes: Notes,
    asked: Sequence[Packaged] = (),
) -> Code:
    """Put the flow's code into the datastore, unless the same code is there.

    Returns:
        How the code is started from its bundle.

    Raises:
        UsageError: It is larger than a person agreed to, or cannot be read.
    """
    plan = plan_bundle(origin, limits, asked)
    question = oversize(plan, limits.max_size, limits.source)
    if question is not None and not notes.agree(question.question()):
        raise question.error()
    for warning in warnings(plan):
        notes.note(warning)
    archive = pack(plan)
    key = layout.code(flow, archive.sha256)
    if store.size(key) is None:
        store.put(key, archive.data)
    notes.note(f"Code: {summary(plan)}.")
    return origin.code._replace(bundle=archive.sha256, root="", paths=plan.paths)
