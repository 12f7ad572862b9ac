"""``Config``: a configuration of a flow, read by the launcher before anything else and the same in every step."""

import sys

from headway.errors import FlowDefinitionError
from headway.flow.delayed import Delayed
from headway.flow.step import members_of
from headway.plain import Any, Callable, Dict, NamedTuple, Optional, Union

#: What turns a configuration's text into its value: a function, or where one is (``pkg.module.function``).
Parser = Union[str, Callable[[str], Any]]


class ConfigDeclaration(NamedTuple):
    """What a ``Config`` says of itself.

    Attributes:
        name: The name on the command line.
        default: The path of the file to read where none is given, or a function that gives it.
        default_value: The value where none is given, or a function that gives it.
        help: What it means, for ``--help``.
        required: Whether a run must be given it.
        parser: What turns text into the value; JSON by default.
        plain: Whether the value is left as the parser gives it.
        show_default: Whether ``--help`` shows the default.
        file: Where it is declared.
        line: The line there.
    """

    name: str
    default: Any = None
    default_value: Any = None
    help: Optional[str] = None
    required: bool = False
    parser: Optional[Parser] = None
    plain: bool = False
    show_default: Any = True
    file: str = ""
    line: int = 0

    def error(self, message: str, hint: Optional[str] = None) -> FlowDefinitionError:
        """The error that says what is wrong with this declaration, and where it stands."""
        return FlowDefinitionError(f"Config '{self.name}': {message}", hint, self.file, self.line)


class Config(Delayed):
    """A configuration of the flow: ``config = Config("config", default="config.json")``.

    In steps ``self.config`` is its value, which nothing can change. In decorators and defaults of
    parameters ``config.model.depth``, ``config["model"]`` and ``**config`` stand for what it will hold.

    Args:
        name: The name on the command line: ``--config NAME PATH``, ``--config-value NAME JSON``.
        default: The path of the file that is read where none is given, or a function of a
            :class:`~headway.flow.parameters.ParameterContext` that gives it.
        default_value: The value where none is given, as text, as a dict, or a function that gives it.
        help: What it means, for ``--help``.
        required: Whether a run must be given it, where there is no default.
        parser: A function from text to the value, or its place (``"pkg.module.function"``; one that
            begins with a dot is Headway's own, ``".yaml_parser"``). JSON by default.
        show_default: Whether ``--help`` shows the default.
        plain: Whether the value is kept as the parser returns it, text without one, instead of as a
            :class:`~headway.flow.config_value.ConfigValue`.
    """

    #: By this the flow's members are told apart without loading this module where no flow has a configuration.
    _headway_config = True

    def __init__(
        self,
        name: str,
        default: Any = None,
        default_value: Any = None,
        help: Optional[str] = None,  # noqa: A002 - the name that flows write
        required: Optional[bool] = None,
        parser: Optional[Parser] = None,
        show_default: Any = None,
        plain: bool = False,
    ) -> None:
        frame = sys._getframe(1)
        place = (frame.f_code.co_filename, frame.f_lineno)
        super().__init__(str(name).replace("-", "_"), frame.f_globals, place)
        shown = True if show_default is None else show_default
        self._declaration = ConfigDeclaration(
            name, default, default_value, help, bool(required), parser, bool(plain), shown, *place
        )
        self._attribute = name

    def __set_name__(self, owner: Any, attribute: str) -> None:
        self._attribute = attribute

    def __get__(self, flow: Any, owner: Any = None) -> Any:
        """The value within a step, what stands for it on the class."""
        if flow is None:
            return self
        value = as_value(self._declaration, flow.__getattr__(self._attribute))
        # Python looks there first from now on.
        flow.__dict__[self._attribute] = value
        return value


def as_value(declaration: ConfigDeclaration, data: Any) -> Any:
    """What was stored of a configuration, as steps read it."""
    if data is None or declaration.plain:
        return data
    # A process that reads no configuration does not load it.
    from headway.flow.config_value import ConfigValue

    return ConfigValue(data)


def configs_of(cls: Any) -> Dict[str, Config]:
    """The flow's configurations by the name of their attribute, in the order written, inherited ones first."""
    return {name: value for name, value in members_of(cls).items() if isinstance(value, Config)}
