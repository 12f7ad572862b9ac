"""What a flow class holds beside its steps: constants, parameters, and names that no step can assign."""

from types import FunctionType, MethodType, ModuleType

from headway.flow.names import FREE_NAMES, RESERVED_NAMES
from headway.flow.parameters import Parameter
from headway.flow.step import members_of
from headway.plain import Any, Dict, List, Mapping, Optional

_READ_ONLY = "_headway_read_only"
_CODE = (FunctionType, MethodType, ModuleType, staticmethod, classmethod, property, type, Parameter)


def constants_of(cls: Any) -> Dict[str, object]:
    """The data that stands in the class's body, by name; steps read it, and none can change it."""
    return {
        name: value
        for name, value in members_of(cls).items()
        if not name.startswith("_") and name not in RESERVED_NAMES and not _is_code(value)
    }


def parameters_of(cls: Any) -> Dict[str, Parameter]:
    """The flow's parameters by the name of their attribute, in the order written, inherited ones first."""
    return {name: value for name, value in members_of(cls).items() if isinstance(value, Parameter)}


def configs_of(cls: Any) -> List[str]:
    """The attributes of the flow's configurations."""
    return [name for name, value in members_of(cls).items() if getattr(type(value), "_headway_config", False)]


def read_only_names(cls: Any) -> Mapping[str, str]:
    """Names that no step can assign, and what they are; worked out once for each class."""
    known: Optional[Dict[str, str]] = vars(cls).get(_READ_ONLY)
    if known is None:
        known = dict.fromkeys(RESERVED_NAMES - FREE_NAMES, "a name that every flow object has")
        known.update(dict.fromkeys(constants_of(cls), "a constant of the flow's class"))
        known.update(dict.fromkeys(parameters_of(cls), "a parameter of the flow"))
        known.update(dict.fromkeys(configs_of(cls), "a configuration of the flow"))
        setattr(cls, _READ_ONLY, known)
    return known


def forget_read_only(cls: Any) -> None:
    """Work the names out anew that no step can assign, since the class has changed."""
    if _READ_ONLY in vars(cls):
        delattr(cls, _READ_ONLY)


def _is_code(value: object) -> bool:
    return isinstance(value, _CODE) or hasattr(type(value), "__get__")
