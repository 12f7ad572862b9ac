"""The program's options that mean nothing here, taken for the sake of the scripts that type them."""

from collections.abc import Iterator, Mapping

import click

#: The one value that says what is the case here anyway; any other is named, never passed over.
_FITTING: Mapping[str, str] = {
    "metadata": "local",
    "event_logger": "nullSidecarLogger",
    "monitor": "nullSidecarMonitor",
}

#: What makes no environment here, and what does instead.
_ENVIRONMENTS: Mapping[str, str] = {
    "conda": "no conda environment is made; @pypi brings packages without this option, or name an image with "
    "@kubernetes(image=…).",
    "uv": "no environment is made of pyproject.toml and uv.lock; steps here use this Python as it is, and @pypi "
    "brings packages to pods.",
}


def taken_options() -> list[click.Parameter]:
    """The options."""
    return [
        *(
            click.Option([f"--{name.replace('_', '-')}"], hidden=True, metavar="KIND", help=f"{fitting}.")
            for name, fitting in _FITTING.items()
        ),
        click.Option(["--pylint/--no-pylint"], default=None, hidden=True, expose_value=False),
        click.Option(["--mode"], type=click.Choice(["spin"]), hidden=True, expose_value=False),
    ]


def unfitting(given: Mapping[str, str | None]) -> Iterator[str]:
    """The options of these that ask for what is not there, as they are typed.

    Args:
        given: Values by the options' names, as keyword arguments are called.
    """
    for name, fitting in _FITTING.items():
        value = given.get(name)
        # A place stands behind a kind as in local@/data, and the datastore says where that is here.
        if value and value.partition("@")[0] != fitting:
            yield f"--{name.replace('_', '-')}={value}"


def environment_notice(kind: str | None) -> str:
    """What ``--environment`` does not do, "" where it asks for nothing more than there is.

    Args:
        kind: As it was typed.
    """
    missing = _ENVIRONMENTS.get(kind or "")
    return f"--environment={kind}: {missing}" if missing else ""
