"""Settings by their names, as the environment and the configuration's files have them; None where nothing says."""

from typing import Any


def __getattr__(name: str) -> Any:
    if not name.isupper() or name.startswith("_"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    # Only a file that asks for a setting pays for this import.
    from headway.datatools.roots import configured

    return configured(name)
