"""``@secrets``: fetched where the task runs, right before its step, and set as environment variables.

Only their names travel: what they hold is in no manifest, no record and no log. (An ``inline`` secret is part
of the flow's own code, and meant for tests.) Loaded only by steps that have secrets.
"""

from typing import Callable, Dict, Mapping, MutableMapping, Optional

from headway.errors import HeadwayError
from headway.runtime.secret_sources import SecretError, Source, read_source
from headway.store.batch import Secrets

#: Prefixes of variables that are ours to set.
_TAKEN = ("METAFLOW_", "HEADWAY_")


def set_secrets(
    wanted: Secrets,
    environ: MutableMapping[str, str],
    fetch: Optional[Callable[[Source, Mapping[str, str]], Mapping[str, str]]] = None,
) -> None:
    """Fetch secrets and set them in an environment; all of them, or none.

    Args:
        wanted: What ``@secrets`` says.
        environ: The environment.
        fetch: Fetches one of them; by default the provider of its kind.

    Raises:
        SecretError: One cannot be fetched, or gives a variable that cannot be set.
        UsageError: One is not named as a secret is.
    """
    given: Dict[str, Source] = {}
    values: Dict[str, str] = {}
    for item in wanted.sources:
        source = read_source(item, wanted.role, wanted.settings)
        for name, value in (fetch or _fetch)(source, wanted.settings).items():
            _check(source, name, value)
            if name in given:
                raise SecretError(
                    f"The secrets {given[name]} and {source} both set the variable {name}.",
                    'Give one of them another name: "options": {"env_var_name": …}.',
                )
            if name in environ and not wanted.allow_override:
                raise SecretError(
                    f"The secret {source} sets the variable {name}, which is set already.",
                    "Let it replace the variable with @secrets(allow_override=True), or unset it.",
                )
            given[name], values[name] = source, value
    environ.update(values)


def _check(source: Source, name: object, value: object) -> None:
    """A variable's name and value, neither of which may be shown where it could be the secret itself."""
    if not isinstance(name, str):
        raise SecretError(f"The secret {source} has a name that is not text but a {type(name).__name__}.")
    if not isinstance(value, str):
        raise SecretError(
            f"The secret {source} has a value for {name} that is not text but a {type(value).__name__}."
        )
    if not name.isascii() or not name.isidentifier():
        raise SecretError(
            f"The secret {source} would set {name!r}, which no variable can be called.",
            "Letters, digits and underscores are allowed, and no digit first.",
        )
    if name.startswith(_TAKEN):
        raise SecretError(
            f"The secret {source} would set {name}: names with {name.split('_')[0]}_ are taken."
        )
    if "\0" in value:
        raise SecretError(
            f"The secret {source} has a value for {name} that no variable can hold: it contains NUL."
        )


def _fetch(source: Source, settings: Mapping[str, str]) -> Mapping[str, str]:
    if source.kind == "inline":
        values = source.options.get("env_vars", {})
        if not isinstance(values, Mapping):
            raise SecretError(f'The secret {source} has no "env_vars": {{"NAME": "value"}} in its options.')
        return values
    # What talks to a cloud is for secrets that are kept there.
    from headway.runtime import cloud_secrets

    try:
        return cloud_secrets.PROVIDERS[source.kind](source, settings)
    except HeadwayError:
        raise
    except Exception as error:
        # Its type and its code tell what is wrong; its words may repeat what was asked for, never what it holds.
        # Azure says the same in several lines, or lists all that it tried.
        said = str(error).strip().partition("\n")[0]
        raise SecretError(
            f"The secret {source} cannot be fetched: {type(error).__name__}: {said}",
            "Is it called so, in this region or project, and may this pod's identity read it?",
        ) from error
