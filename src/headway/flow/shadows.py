"""Files beside a flow that are called like modules which Headway needs: looked for once an import has failed.

Nothing is loaded for it that a bare interpreter has not: what it tells of may hide any other module.
"""

import os
import sys

from headway.plain import Optional

#: Libraries that a launcher loads, beside Python's own modules.
_LIBRARIES = frozenset({"aiohttp", "click", "msgspec", "multidict", "obstore", "trustme", "yaml", "yarl"})


def hidden_module(error: BaseException) -> Optional[str]:
    """Which module the program's own folder hides, in words that end with the error; None where it hides none.

    Args:
        error: What came of it, perhaps: one that says something else too is blamed on the file all the same.
    """
    if not isinstance(error, (ImportError, AttributeError)):
        return None
    folder = os.path.dirname(os.path.abspath(getattr(sys.modules["__main__"], "__file__", None) or "x"))
    names = _LIBRARIES.union(getattr(sys, "stdlib_module_names", ()))
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None) if name in names else None
        if file and os.path.dirname(file.replace(f"{os.sep}__init__.py", "")) == folder:
            return f"{file} hides the module {name} that Headway needs ({type(error).__name__}: {error})."
    return None
