"""The attributes of ``@kubernetes`` and ``@resources``: a pod's settings, as configuration declares them.

One table serves the decorators, ``--with``, variables and files, so that they cannot drift apart.
Configuration is not shipped to pods; this module is the launcher's alone.
"""

from headway.config.fields import settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.flow.attributes import Attribute

#: What ``@kubernetes`` can say.
KUBERNETES = tuple(
    Attribute(each.name, each.written_default, each.doc, each.parse, each.aliases)
    for each in settings_of(KubernetesSettings).values()
    if each.argument
)

#: What ``@resources`` can say.
RESOURCES = tuple(
    each for each in KUBERNETES if each.name in ("cpu", "memory", "disk", "gpu", "shared_memory")
)
