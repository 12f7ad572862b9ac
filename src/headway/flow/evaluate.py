"""Works out what was noted of configurations before they were known; the launcher alone does."""

from collections.abc import Mapping
from copy import copy
from typing import Any, Optional

from headway.errors import FlowDefinitionError
from headway.flow.config_value import thawed
from headway.flow.decorators import DecoratorSpec
from headway.flow.delayed import UNPACKED, Delayed, Fallback
from headway.flow.names import did_you_mean
from headway.flow.parameters import Parameter

#: The flow's configurations by the names that expressions know them by.
Scope = Mapping[str, Any]


def evaluate(value: Any, scope: Scope) -> Any:
    """The same value with what depends on configurations worked out, also within containers.

    Raises:
        FlowDefinitionError: An expression fails: which one, where, and why.
    """
    if isinstance(value, Delayed):
        return thawed(_result(value, scope))
    if type(value) is dict:
        return evaluate_items(value, scope)
    if type(value) in (list, tuple, set):
        return type(value)(evaluate(item, scope) for item in value)
    return value


def evaluate_items(items: Mapping[Any, Any], scope: Scope) -> dict[Any, Any]:
    """A dict's or a call's items, what was written as ``**config`` among them unpacked."""
    found: dict[Any, Any] = {}
    for key, value in items.items():
        if isinstance(key, str) and key.startswith(UNPACKED) and isinstance(value, Delayed):
            unpacked = evaluate(value, scope)
            if not isinstance(unpacked, Mapping):
                raise _error(value, f"**{value!r} unpacks {unpacked!r}, which is no dict.")
            found.update(unpacked)
        else:
            found[evaluate(key, scope)] = evaluate(value, scope)
    return found


def depends(value: Any) -> bool:
    """Whether there is something in a value that is not known yet."""
    if isinstance(value, Delayed):
        return True
    if type(value) is dict:
        return any(depends(item) for pair in value.items() for item in pair)
    return type(value) in (list, tuple, set) and any(map(depends, value))


def evaluate_spec(spec: DecoratorSpec, scope: Scope) -> DecoratorSpec:
    """A decorator with all its values known; itself where they are."""
    if not depends(spec.attributes) and not depends(spec.positional):
        return spec
    return spec._replace(
        attributes=evaluate_items(spec.attributes, scope),
        positional=tuple(evaluate(value, scope) for value in spec.positional),
        evaluated=True,
    )


def _result(delayed: Delayed, scope: Scope) -> Any:
    try:
        value = eval(delayed._expression, delayed._scope, dict(scope))  # noqa: S307 - the flow's own code
        for part in delayed._path:
            if isinstance(part, Fallback):
                value = _read_if_there(value, evaluate(part.key, scope), part.default, scope)
            else:
                value = _read(value, evaluate(part, scope))
    except FlowDefinitionError:
        raise
    except NameError as error:
        name = getattr(error, "name", None) or delayed._expression
        hint = did_you_mean(name, scope) or "The flow has no configurations."
        raise _error(delayed, f"{delayed!r} cannot be worked out: {error}.", hint) from error
    except Exception as error:
        words = str(error).strip() or type(error).__name__
        raise _error(delayed, f"{delayed!r} cannot be worked out: {_sentence(error, words)}") from error
    return value


def _sentence(error: Exception, words: str) -> str:
    if isinstance(error, KeyError):
        return f"there is no {words}."
    return words if words.endswith(".") else f"{words} ({type(error).__name__})."


def _read(value: Any, part: Any) -> Any:
    if isinstance(value, Mapping) and part in value:
        return value[part]
    if isinstance(part, str) and not (isinstance(value, Mapping) and not part.isidentifier()):
        if value is None:
            raise LookupError(f"'{part}' is read of a configuration that is not given")
        return getattr(value, part)
    return value[part]


def _read_if_there(value: Any, key: Any, default: Any, scope: Scope) -> Any:
    if isinstance(value, Mapping):
        return value[key] if key in value else evaluate(default, scope)
    # An optional configuration that was not given has nothing, and a list no such place.
    try:
        return _read(value, key)
    except (AttributeError, LookupError, TypeError):
        return evaluate(default, scope)


def _error(delayed: Delayed, message: str, hint: Optional[str] = None) -> FlowDefinitionError:
    return FlowDefinitionError(message, hint, *delayed._place)


#: What of a parameter may depend on a configuration.
_PARAMETER_FIELDS = frozenset(
    {
        "default", "encoding", "help", "is_text", "multiple", "options", "parser", "required", "separator",
        "show_default", "type",
    }
)  # fmt: skip


def evaluate_parameter(parameter: Parameter, scope: Scope) -> Parameter:
    """A parameter with all of its declaration known; the type comes from the default again."""
    written = {name: value for name, value in vars(parameter).items() if name in _PARAMETER_FIELDS}
    found = {name: evaluate(value, scope) for name, value in written.items()}
    if all(found[name] is value or found[name] == value for name, value in written.items()):
        return parameter
    made = copy(parameter)
    vars(made).update(found)
    if not parameter.typed:
        made.type = made.inferred_type()
    return made
