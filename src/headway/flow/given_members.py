"""Parameters that mutators gave to a flow, or took from it, told to the processes that run its steps."""

from copy import copy
from typing import Any, Mapping

from headway.flow.arguments import decode_arguments, encode_arguments
from headway.flow.members import forget_read_only
from headway.flow.parameters import Parameter


def changed_parameters(written: Mapping[str, Parameter], now: Mapping[str, Parameter]) -> Mapping[str, str]:
    """What a step's process must know: each attribute whose parameter is another, as text; "" where it is gone.

    Args:
        written: The parameters as the class has them.
        now: The parameters that the run has.

    Raises:
        FlowDefinitionError: A parameter cannot be sent, for its parser.
    """
    changes = {attribute: "" for attribute in written if attribute not in now}
    for attribute, parameter in now.items():
        if attribute not in written:
            # Of no use where the value is known, and often nothing that can be sent.
            bare = copy(parameter)
            vars(bare).update(default=None, help=None, options={}, show_default=False)
            try:
                changes[attribute] = encode_arguments([bare], {})
            except Exception as error:
                raise parameter.error(
                    f"it cannot be sent to steps: {error}.", "Let its parser be a function of a module."
                ) from error
    return changes


def give_parameters(cls: Any, changes: Mapping[str, str]) -> None:
    """Make a flow's class what the launcher's mutators made of it; in a process that runs one step of it."""
    for attribute, text in changes.items():
        if text:
            setattr(cls, attribute, decode_arguments(text)[0][0])
        elif isinstance(vars(cls).get(attribute), Parameter):
            delattr(cls, attribute)
    forget_read_only(cls)
