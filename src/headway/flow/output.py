"""What stands for a step's output in the body of a pipeline: it can be handed on, and nothing else."""

import os
import sys

from headway.errors import FlowDefinitionError
from headway.plain import Any, NoReturn

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep

#: What a person may try with a value.
_ASKED = [
    "__add__",
    "__and__",
    "__bool__",
    "__bytes__",
    "__call__",
    "__complex__",
    "__contains__",
    "__delitem__",
    "__divmod__",
    "__enter__",
    "__eq__",
    "__float__",
    "__floordiv__",
    "__format__",
    "__ge__",
    "__getitem__",
    "__gt__",
    "__index__",
    "__int__",
    "__invert__",
    "__iter__",
    "__le__",
    "__len__",
    "__lshift__",
    "__lt__",
    "__matmul__",
    "__mod__",
    "__mul__",
    "__ne__",
    "__neg__",
    "__next__",
    "__or__",
    "__pos__",
    "__pow__",
    "__radd__",
    "__rand__",
    "__reversed__",
    "__rmul__",
    "__round__",
    "__rshift__",
    "__rsub__",
    "__rtruediv__",
    "__setitem__",
    "__sub__",
    "__truediv__",
    "__xor__",
]


class Output:
    """An output of a call, before it exists.

    Attributes:
        call: The call.
        artifact: What the output is called; "" for a step that returns nothing, to stand behind ``after=``.
    """

    __slots__ = ("artifact", "call")

    def __init__(self, call: str, artifact: str) -> None:
        self.call = call
        self.artifact = artifact

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self.artifact or 'no output'} of {self.call}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise _error(self, f"its attribute {name} is asked for")

    def __reduce__(self) -> Any:
        raise _error(self, "it stands within a value that is stored")


def _error(output: Output, why: str) -> FlowDefinitionError:
    frame: Any = sys._getframe(1)
    while frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_OURS):
        frame = frame.f_back
    what = (
        f"Output '{output.artifact}' of step '{output.call}'" if output.artifact else f"Step '{output.call}'"
    )
    has = "has no value" if output.artifact else "returns nothing, and has no value"
    return FlowDefinitionError(
        f"{what} {has} while the pipeline's body runs, but {why}.",
        "Do that in a step which takes the output. To take outputs apart, annotate what the step returns: "
        "-> tuple[int, str].",
        frame.f_code.co_filename if frame is not None else None,
        frame.f_lineno if frame is not None else None,
    )


def _asked(name: str) -> Any:
    def refuse(self: Output, *_: object) -> NoReturn:
        raise _error(self, f"{name.strip('_')}() is asked of it")

    return refuse


for _name in _ASKED:
    setattr(Output, _name, _asked(_name))
