"""The attributes of ``@kubernetes`` and ``@resources``: a pod's settings, as configuration declares them.

One table serves the decorators, ``--with``, variables and files, so that they cannot drift apart.
Configuration is not shipped to pods; this module is the launcher's alone.
"""

from collections.abc import Mapping

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.flow.attributes import Attribute

_SETTINGS = tuple(
    Attribute(each.name, each.written_default, each.doc, each.parse, each.aliases)
    for each in settings_of(KubernetesSettings).values()
    if each.argument
)


def _pod_settings(value: object) -> object:
    """Several of these settings together, as ZenML groups them."""
    if not isinstance(value, Mapping):
        raise ValueError('a dict of settings is allowed: pod_settings={"node_selectors": {…}}')
    known = {name: each for each in _SETTINGS for name in (each.name, *each.aliases)}
    for name, written in value.items():
        if name not in known:
            raise ValueError(f"settings of @kubernetes are allowed in it, and {name!r} is none")
        refused = known[name].refusal(written)
        if refused is not None:
            raise ValueError(f"{name}: {refused}")
    return value


#: What ``@kubernetes`` can say.
KUBERNETES = (
    *_SETTINGS,
    Attribute("pod_settings", None, "Several of these together, as ZenML groups them.", _pod_settings),
)

#: What ``@resources`` can say.
RESOURCES = tuple(
    each for each in KUBERNETES if each.name in ("cpu", "memory", "disk", "gpu", "shared_memory")
)
