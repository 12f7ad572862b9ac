"""The settings in words, read off the table that declares them: for ``config show`` and the documentation."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from headway.config.fields import Setting, settings_of
from headway.config.kubernetes import KubernetesSettings, launcher_image
from headway.config.resolve import Resolved


class Row(NamedTuple):
    """One resolved setting as it is shown: its name, its value as text, where it came from."""

    name: str
    value: str
    source: str


def rows(resolved: Resolved) -> list[Row]:
    """Every setting with its value and source; what may hold a secret is only said to be set."""
    found = []
    for name, setting in settings_of(KubernetesSettings).items():
        value = getattr(resolved.settings, name)
        shown = "(set)" if setting.sensitive and value else _text(value)
        found.append(Row(name, shown, resolved.provenance[name]))
    return found


def changes(before: Resolved, after: Resolved) -> list[str]:
    """What overrides changed, a line each, like "memory is 8000 (--override …), not 4096 (default)."."""
    return [
        f"{new.name} is {new.value or 'unset'} ({new.source}), not {old.value or 'unset'} ({old.source})."
        for old, new in zip(rows(before), rows(after), strict=True)
        if old.value != new.value
    ]


def reference(proofs: Mapping[str, str]) -> str:
    """The documentation's table of all settings, in Markdown.

    Args:
        proofs: For each setting what proves it, in Markdown.
    """
    lines = [
        "| setting | default | variable | where it lands | meaning | proved by |",
        "|---|---|---|---|---|---|",
    ]
    for setting in settings_of(KubernetesSettings).values():
        names = ", ".join(f"`{name}`" for name in _arguments(setting)) or "(configuration only)"
        variables = ", ".join(f"`HEADWAY_{variable}`" for variable in setting.variables) or "-"
        default = "" if setting.written_default is None else _text(setting.written_default)
        # The table must not depend on the Python that writes it.
        default = default.replace(launcher_image(), "python:<the launcher's version>")
        cells = (names, default or "-", variables, setting.lands, setting.doc, proofs[setting.name])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _arguments(setting: Setting) -> tuple[str, ...]:
    return (setting.name, *setting.aliases) if setting.argument else ()


def _text(value: object) -> str:
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return str(value)
