"""``@retry(on_oom=…)``: how much memory a step gets after it ran out of it once, twice and so on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from headway.errors import SettingsError
from headway.flow.attributes import whole_number
from headway.flow.decorators import DecoratorSpec

if TYPE_CHECKING:
    from headway.config.kubernetes import KubernetesSettings

#: How often memory grows where ``times`` does not say it.
_TIMES = 3


def memory_steps(spec: DecoratorSpec | None, settings: "KubernetesSettings", source: str) -> tuple[int, ...]:
    """The memory of the attempts that follow an attempt which ran out of it.

    ``on_oom=2`` doubles, three times at most; ``on_oom={"factor": 1.5, "times": 5, "max_memory": 64000}``
    says each part. The last step is cut to ``max_memory``, and there it ends.

    Args:
        spec: ``@retry``, None where the step has none.
        settings: The step's settings; their memory is the first attempt's.
        source: Where ``@retry`` stands, for words.

    Returns:
        MB of the first attempt after such a failure, of the second and so on; empty without ``on_oom``.

    Raises:
        SettingsError: It cannot grow: ``max_memory`` is no more than what is asked for anyway, or
            ``resources=`` fixes the memory.
    """
    said = spec.attributes.get("on_oom") if spec else None
    if said is None:
        return ()
    parts: Mapping[str, object] = said if isinstance(said, Mapping) else {"factor": said}
    factor = float(str(parts.get("factor", 2)))
    times = whole_number(parts.get("times", _TIMES))
    most = whole_number(parts["max_memory"]) if parts.get("max_memory") is not None else None
    if any("memory" in amounts for amounts in settings.resources.values()):
        raise SettingsError(
            "on_oom",
            said,
            "resources= fixes the step's memory, so it cannot grow",
            source,
            "Use memory= instead.",
        )
    if most is not None and most <= settings.memory:
        raise SettingsError(
            "on_oom", said, f"max_memory must be more than the step's memory of {settings.memory} MB", source
        )
    found: list[int] = []
    for count in range(1, times + 1):
        wanted = round(settings.memory * factor**count)
        found.append(wanted if most is None else min(wanted, most))
        if found[-1] == most:
            break
    return tuple(found)
