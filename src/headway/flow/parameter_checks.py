"""What is checked of a flow's parameters before a run; the launcher alone does."""

from headway.flow.names import RESERVED_NAMES, closest, folded
from headway.flow.parameters import Parameter
from headway.flow.values import is_parameter_type
from headway.plain import Iterable, Mapping, Optional, Tuple

#: Options of ``run`` and what stands for them elsewhere; a parameter of that name could not be given.
RESERVED_PARAMETERS = frozenset(
    {
        "params", "with", "tag", "namespace", "obj", "tags", "decospecs", "run-id-file", "max-num-splits",
        "max-workers", "max-log-size", "user-namespace", "run-id", "task-id", "runner-attribute-file", "help",
    }
)  # fmt: skip

#: What a parameter can say, and what Metaflow's hand on to their command line's options.
_SAID = ("default", "type", "help", "required", "show_default", "multiple", "separator", "is_flag")
_HANDED_ON = frozenset(
    {
        "allow_from_autoenv",
        "autocompletion",
        "callback",
        "confirmation_prompt",
        "count",
        "envvar",
        "flag_value",
        "hidden",
        "hide_input",
        "is_eager",
        "metavar",
        "nargs",
        "prompt",
        "show_choices",
        "show_envvar",
    }
)

#: Of these what means nothing here, each with what is the case anyway; any other value is named, never passed over.
_WITHOUT_EFFECT: Mapping[str, object] = {"cls": None, "expose_value": True}


def check_parameters(parameters: Iterable[Parameter]) -> None:
    """Check the declarations of a flow.

    Raises:
        FlowDefinitionError: A name is reserved or given twice, a type is unknown, a default does not fit.
    """
    seen: dict[str, Parameter] = {}
    for parameter in parameters:
        _check_declaration(parameter)
        key = folded(parameter.name)
        if key in seen:
            raise parameter.error(
                f"its name is taken by the parameter '{seen[key].name}' "
                f"(attribute '{seen[key].attribute}', line {seen[key].line}).",
                "Rename one of them: on the command line case does not count, nor - against _.",
            )
        seen[key] = parameter


def parameter_notes(parameters: Iterable[Parameter]) -> list[str]:
    """One line for each parameter that asks its option for what the command line here does not do."""
    notes = []
    for parameter in parameters:
        said = parameter.options
        vain = [key for key, usual in _WITHOUT_EFFECT.items() if said.get(key, usual) not in (usual, None)]
        if vain:
            notes.append(
                f"Parameter '{parameter.name}': {', '.join(vain)} {'have' if len(vain) > 1 else 'has'} no effect: "
                "every parameter is an option of run, and an artifact."
            )
    return notes


def _check_declaration(parameter: Parameter) -> None:
    name: object = parameter.name
    if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
        raise parameter.error("this is no name.", "Use letters, digits, - and _, and no digit first.")
    if folded(name) in RESERVED_PARAMETERS:
        raise parameter.error(
            "the name is reserved: the command line has an option of it.", "Use another name."
        )
    if parameter.attribute in RESERVED_NAMES:
        raise parameter.error(
            f"every flow object has an attribute '{parameter.attribute}' of its own.",
            "Call the attribute otherwise.",
        )
    for key in parameter.options:
        if key not in _HANDED_ON and key not in _WITHOUT_EFFECT and key not in _SAID:
            near = closest(key, _SAID)
            raise parameter.error(
                f"it does not support '{key}'.",
                f"Did you mean {near}?" if near else f"It has {', '.join(_SAID)}.",
            )
    _check_options(parameter)
    if not is_parameter_type(parameter.type):
        raise parameter.error(
            f"the type {parameter.type_name} is none that a parameter can have.",
            "Use str, int, float, bool or JSONType, given as type=… or by the default.",
        )
    if parameter.separator is not None and parameter.type is not str:
        raise parameter.error(
            f"a separator needs text, but the type is {parameter.type_name}.", "Declare type=str."
        )
    default = parameter.default
    if default is None or callable(default) or parameter.separator is not None:
        return
    parameter.fitted(default)


def _check_options(parameter: Parameter) -> None:
    """Check what is said to the command line's library."""
    wrong = _wrong_option(parameter)
    if wrong is not None:
        raise parameter.error(*wrong)


def _wrong_option(parameter: Parameter) -> Optional[Tuple[str, str]]:
    """What is wrong, and what to write."""
    said = parameter.options
    nargs, count, callback = said.get("nargs"), parameter.counts, said.get("callback")
    if not _are_variables(said.get("envvar")):
        return "envvar is no variable's name.", "Give a name, or a list of names."
    if nargs is not None and (not isinstance(nargs, int) or nargs < 1):
        return f"nargs={nargs!r} is not possible.", "Say how many values it takes: nargs=2."
    if isinstance(parameter.type, tuple) and parameter.nargs != len(parameter.type):
        words = f"nargs={nargs}, and its type is one for {len(parameter.type)} values."
        return words, "Leave nargs out, the type says it."
    if callback is not None and not callable(callback):
        return f"the callback {callback!r} is no function.", "Write a function of (context, option, value)."
    if count and (parameter.multiple or parameter.is_flag):
        other = "multiple" if parameter.multiple else "is_flag"
        return f"count and {other} are two kinds of option.", "Leave one of them out."
    if parameter.is_flag and said.get("prompt") and not isinstance(parameter.flag_value, bool):
        return "a flag with a value of its own cannot be asked for.", "Leave prompt out."
    return None


def _are_variables(names: object) -> bool:
    several = names if isinstance(names, (list, tuple)) else () if names is None else (names,)
    return all(isinstance(name, str) and name for name in several)
