"""Which settings the API server does not take, from the fields that it names: pure."""

import re
from collections.abc import Iterable, Iterator

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.api.errors import Invalid

#: Where the pod's own part of the Job begins; nobody who writes a flow knows of what stands around it.
_POD = "spec.template."
_OF_A_CONTAINER = re.compile(r"^spec\.containers\[\d+\]\.")
#: What the server says of a field that it does not know, as an older one does not know newer ones.
_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
_SETTINGS = frozenset(settings_of(KubernetesSettings))
#: Fields that are made of several settings, or of one by another name.
_MADE_OF = {
    "resources": ("cpu", "memory", "disk", "gpu", "resources"),
    "volume_mounts": ("volume_mounts", "persistent_volume_claims"),
    "command": ("executable",),
}


def words_of(error: Invalid) -> str:
    """The complaints in the server's words, the fields by their path in the pod."""
    # The first line says of which request.
    complaints = [line.strip().replace(_POD, "", 1) for line in error.message.splitlines()[1:]]
    if len(complaints) == 1:
        return f"a field of it is not valid: {complaints[0]}"
    return "fields of it are not valid:" + "".join(f"\n  {each}" for each in complaints)


def complaints_of(error: Invalid) -> str:
    """The complaints in one line."""
    return "; ".join(line.strip() for line in error.message.splitlines()[1:])


def unknown_fields(message: str) -> list[str]:
    """The fields by their path in the pod that the server does not know; none where it complains of something else."""
    return (
        [path.replace(_POD, "", 1) for path in _UNKNOWN.findall(message)]
        if "strict decoding" in message
        else []
    )


def hint_of(error: Invalid) -> str:
    """Which settings of the step to look at."""
    return hint_for(cause.field for cause in (error.details.causes if error.details else ()))


def hint_for(paths: Iterable[str]) -> str:
    """Which settings of the step make these fields."""
    named = list(dict.fromkeys(_settings_of(paths)))
    return f"Correct it where the step's settings say it: {', '.join(f'{name}=…' for name in named)}."


def _settings_of(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        inner = _OF_A_CONTAINER.sub("", path.removeprefix(_POD))
        inner = re.sub(r"^(spec|metadata)\.", "", inner)
        name = re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", re.split(r"[.\[]", inner)[0])
        if name in _MADE_OF:
            yield from _MADE_OF[name]
        else:
            yield name if name in _SETTINGS else "additional_pod_spec_args"
