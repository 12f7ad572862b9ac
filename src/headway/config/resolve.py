"""How a step's Kubernetes settings become one: a pure function over everything that was said.

Later wins, setting by setting::

    built-in default < configuration < flow or pipeline settings < --with < decorator < --override

The sizes of a step (``Join.MAXIMUM``: cpu, memory, disk, gpu, shared_memory) take the greater of what the
winner of flow settings, ``--with`` and decorator says and of what ``@resources`` says; configuration
and default fill in only where none of these said anything. Secrets, labels and their like
(``Join.ADD``) are gathered from all layers. Every value that was written is checked, also one that
another layer hides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from headway.config.checks import check_together, memory_warnings, with_registry
from headway.config.fields import Join, Setting, replace, settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.parsing import RefusedError
from headway.config.sources import Configuration
from headway.errors import SettingsError

BUILT_IN = "default"

_TABLE = settings_of(KubernetesSettings)
_RESOURCES = {name: _TABLE[name] for name in ("cpu", "memory", "disk", "gpu", "shared_memory")}


@dataclass(frozen=True)
class Layer:
    """What one place says: the values as written, and the place in words.

    Attributes:
        values: Setting to value; None is no statement.
        source: ``@kubernetes on step train (flow.py:12)``, ``--with kubernetes:cpu=4``, …
    """

    values: Mapping[str, object]
    source: str


@dataclass(frozen=True)
class Resolved:
    """The settings of one step's pods, and why they are so.

    Attributes:
        settings: The values.
        provenance: For each field where its value came from; several places are joined by " + ".
        warnings: What is allowed and yet likely to surprise, one sentence each.
    """

    settings: KubernetesSettings
    provenance: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Value:
    value: object
    source: str


def resolve_kubernetes(
    step_name: str,
    *,
    decorator: Layer | None = None,
    with_specs: Sequence[Layer] = (),
    flow_settings: Layer | None = None,
    resources_decorator: Layer | None = None,
    configuration: Configuration | None = None,
    overrides: Layer | None = None,
) -> Resolved:
    """Join everything that was said about one step's pods.

    Args:
        step_name: The step, for words.
        decorator: The explicit arguments of ``@kubernetes`` on the step.
        with_specs: The arguments of each ``--with kubernetes:…``, the one that wins first.
        flow_settings: Settings of the whole flow or pipeline.
        resources_decorator: The explicit arguments of ``@resources``.
        configuration: Variables and files.
        overrides: ``--override``.

    Raises:
        SettingsError: A value cannot be used, alone or together with another.
    """
    configured = _configured(configuration)
    written = [_parsed(layer, _TABLE, "@kubernetes") for layer in (decorator, *with_specs, flow_settings)]
    resources = _parsed(resources_decorator, _RESOURCES, "@resources")
    override = _parsed(overrides, _TABLE, "--override", forced=True)

    values: dict[str, object] = {}
    provenance: dict[str, str] = {}
    for name, field in _TABLE.items():
        layers = [layer[name] for layer in (override, *written) if name in layer]
        if field.join is Join.ADD:
            joined = _added([*layers, *_held(configured, name)])
        elif field.join is Join.MAXIMUM and name not in override:
            joined = _greatest([*layers[:1], *_held(resources, name)]) or _first(_held(configured, name))
        else:
            joined = _first([*layers, *_held(configured, name)])
        found = joined or _Value(field.default, BUILT_IN)
        values[name], provenance[name] = found.value, found.source
    settings = KubernetesSettings(**values)  # type: ignore[arg-type]  # the table's parsers give the types
    settings = replace(settings, image=with_registry(settings.image, settings.container_registry))
    check_together(step_name, settings, provenance)
    return Resolved(settings, provenance, memory_warnings(step_name, settings))


def _configured(configuration: Configuration | None) -> dict[str, _Value]:
    found: dict[str, _Value] = {}
    for name, field in _TABLE.items():
        sourced = configuration.first(*field.variables) if configuration else None
        if sourced is not None:
            found[name] = _Value(_parse(field, name, sourced.value, sourced.source), sourced.source)
    return found


def _parsed(
    layer: Layer | None, table: Mapping[str, Setting], place: str, *, forced: bool = False
) -> dict[str, _Value]:
    """The layer's values, checked, by the field's own name.

    Args:
        layer: What was written.
        table: The settings it may hold.
        place: What holds them, for words.
        forced: Whether it may also say what decorators may not.
    """
    found: dict[str, _Value] = {}
    aliases = {alias: name for name, field in table.items() for alias in field.aliases}
    source = layer.source if layer else ""
    for key, value in _flat(layer.values) if layer else ():
        name = aliases.get(key, key)
        field = table.get(name)
        if field is None:
            raise _unknown(key, value, source, table, place)
        if not (field.argument or forced):
            variables = " or ".join(f"HEADWAY_{variable}" for variable in field.variables)
            raise SettingsError(
                key, value, "it is configuration, not an argument", source, f"Set {variables}."
            )
        if value is None:
            continue
        if name in found:
            raise SettingsError(
                key, _shown(field, value), f"it is another name of {name}, which is given too", source
            )
        found[name] = _Value(_parse(field, key, value, source), source)
    return found


def _parse(field: Setting, key: str, value: object, source: str) -> object:
    try:
        return field.parse(value)
    except RefusedError as refused:
        raise SettingsError(key, _shown(field, value), refused.allowed, source, refused.hint) from refused


def _shown(field: Setting, value: object) -> object:
    return "…" if field.sensitive else value


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The settings with those of a ``pod_settings`` among them, ZenML's grouping of the same names."""
    for key, value in values.items():
        if key != "pod_settings":
            yield key, value
        elif isinstance(value, Mapping):
            yield from value.items()
        elif value is not None:
            yield key, value


def _unknown(key: str, value: object, source: str, table: Mapping[str, Setting], place: str) -> SettingsError:
    from difflib import get_close_matches  # only errors need it, and start-up counts

    known = [name for name, field in table.items() if field.argument]
    near = get_close_matches(key, known, 1)
    return SettingsError(
        key,
        value,
        f"{place} has no such setting; it has {', '.join(sorted(known))}",
        source,
        f"Did you mean {near[0]}?" if near else None,
    )


def _held(layer: Mapping[str, _Value], name: str) -> list[_Value]:
    return [layer[name]] if name in layer else []


def _first(values: Sequence[_Value]) -> _Value | None:
    return values[0] if values else None


def _greatest(values: Sequence[_Value]) -> _Value | None:
    # max() keeps the first of equals: the decorator is named before @resources.
    return max(values, key=lambda item: item.value, default=None)  # type: ignore[arg-type,return-value]


def _added(values: Sequence[_Value]) -> _Value | None:
    """All values in one, the first given winning: maps key by key, lists in order without doubles."""
    if not values:
        return None
    source = " + ".join(dict.fromkeys(item.source for item in values))
    if isinstance(values[0].value, Mapping):
        joined: dict[object, object] = {}
        for item in reversed(values):
            assert isinstance(item.value, Mapping)
            joined.update(item.value)
        return _Value(joined, source)
    listed: list[object] = []
    for item in values:
        assert isinstance(item.value, Iterable)
        listed += [entry for entry in item.value if entry not in listed]
    return _Value(tuple(listed), source)
