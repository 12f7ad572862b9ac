"""Which limit holds for a step's pods, its ``@timeout`` or the general one: pure."""

import dataclasses

from headway.config.fields import replace, settings_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import BUILT_IN, Resolved
from headway.config.sources import Configuration
from headway.executors.kubernetes.deadlines import behind_timeout

_LIMIT = "active_deadline_seconds"


def with_timeout(resolved: Resolved, timeout: float, place: str, configuration: Configuration) -> Resolved:
    """The settings with room for ``@timeout``.

    The limit that is configured, and the default, are for steps that say nothing: they give way to a longer
    timeout. One that was said of the step itself holds, whichever is the tighter.

    Args:
        resolved: The step's settings.
        timeout: Seconds.
        place: Where it was written.
        configuration: Variables and files.
    """
    needed = behind_timeout(resolved.settings, timeout)
    configured = configuration.first(*settings_of(KubernetesSettings)[_LIMIT].variables)
    general = {BUILT_IN, configured.source if configured else BUILT_IN}
    if resolved.provenance[_LIMIT] not in general or needed <= resolved.settings.active_deadline_seconds:
        return resolved
    return dataclasses.replace(
        resolved,
        settings=replace(resolved.settings, active_deadline_seconds=needed),
        provenance={**resolved.provenance, _LIMIT: place},
    )
