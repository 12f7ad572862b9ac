"""What the type of an exception is called in what a task leaves of it; for tasks whose step failed only."""

import sys
from typing import Dict


def type_name(error: BaseException) -> str:
    """Its module and its name, as the flow's own code knows them.

    A flow that was written for Metaflow compares them with Metaflow's names (``self.failed.type``), so where the
    package of aliases is in use, an error of ours goes by the name under which that package has it.
    """
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    aliases = sys.modules.get("metaflow")
    known: Dict[str, str] = getattr(aliases, "_ERROR_NAMES", {})
    return known.get(name, name)
