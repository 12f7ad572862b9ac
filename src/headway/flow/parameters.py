"""Parameters: the values that a run is given, declared as attributes of the flow's class."""

import sys

from headway.errors import FlowDefinitionError, UsageError
from headway.flow.values import JSONType, convert_text, has_type, type_name
from headway.plain import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Tuple

_TYPES = (str, int, float, bool, JSONType)


class ParameterFieldFailedError(FlowDefinitionError):
    """A function that a parameter is declared with failed."""


class ParameterFieldTypeMismatchError(FlowDefinitionError):
    """A function that a parameter is declared with made a value of another type."""


class ParameterContext(NamedTuple):
    """What a default that is a function is called with.

    Attributes:
        flow_name: The flow's name.
        user_name: Who starts the run.
        parameter_name: The parameter's name.
        logger: Prints a line for the person who starts the run.
        ds_type: The kind of datastore ("local", "s3", …).
        configs: The flow's configurations, by name.
    """

    flow_name: str
    user_name: str
    parameter_name: str
    logger: Callable[[str], None]
    ds_type: str
    configs: Mapping[str, Any] = {}


class Parameter:
    """A value that a run is given: ``--alpha 0.1``, or a variable, or its default.

    Declared in the class's body, ``alpha = Parameter("alpha", default=0.1)``; in steps ``self.alpha``
    is the value, which no step can change.

    Args:
        name: The name on the command line; the attribute may be called otherwise.
        default: The value where none is given, or a function of a :class:`ParameterContext` that
            makes it, called once for each run.
        type: str, int, float, bool or JSONType; else the default's type, else str.
        help: What it means, for ``--help``.
        required: Whether a run must be given a value.
        show_default: Whether ``--help`` shows the default; text is shown in its place.
        multiple: Whether the option can be given several times; the value is then a tuple.
        separator: For text: what stands between the items of a list.
        **options: Anything else, kept for the command line: ``is_flag=True`` makes it an option without
            a value, whose name alone means true; ``envvar`` names further variables; ``prompt`` asks for
            what is not given; ``hidden``, ``metavar`` and ``show_envvar`` are for ``--help``.
    """

    def __init__(
        self,
        name: str,
        default: Any = None,
        type: Any = None,  # noqa: A002 - the name that flows write
        help: Optional[str] = None,  # noqa: A002 - the name that flows write
        required: Optional[bool] = None,
        show_default: Any = None,
        multiple: bool = False,
        separator: Optional[str] = None,
        **options: Any,
    ) -> None:
        caller = sys._getframe(1)
        self.name = name
        self.attribute = name
        self.default = default
        self.help = help
        # Each may be a configuration's value, which is not known yet.
        self.required: Any = False if required is None else required
        self.show_default = True if show_default is None else show_default
        self.multiple: Any = multiple
        self.separator: Any = separator
        self.options = options
        self.file = caller.f_code.co_filename
        self.line = caller.f_lineno
        self.typed = type is not None
        self.type: Any = type if self.typed else inferred_type(default, multiple, self.is_flag)

    def __set_name__(self, owner: Any, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, flow: Any, owner: Any = None) -> Any:
        """The value within a step, the declaration itself on the class."""
        # Once loaded, the value stands in the object's own dictionary, which Python looks in first.
        return self if flow is None else flow.__getattr__(self.attribute)

    @property
    def is_flag(self) -> bool:
        """Whether the option has no value: given, the parameter is true."""
        return self.options.get("is_flag") is True

    @property
    def variables(self) -> Tuple[str, ...]:
        """The environment variables that can give the value; the first that is set counts."""
        suffix = "RUN_" + self.name.upper().replace("-", "_")
        own = self.options.get("envvar") or ()
        return ("HEADWAY_" + suffix, "METAFLOW_" + suffix, *((own,) if isinstance(own, str) else own))

    @property
    def type_name(self) -> str:
        """The type in one word, for ``--help`` and errors."""
        return type_name(self.type)

    def convert(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            UsageError: The text is no such value.
        """
        if self.separator is not None:
            return text.split(self.separator) if text else []
        try:
            return convert_text(text, self.type)
        except ValueError as error:
            raise UsageError(
                f"Parameter '{self.name}' cannot be {text!r}: {error}.",
                f"Give it as --{self.name} VALUE, or in the variable {self.variables[0]}.",
            ) from error

    def value(self, texts: Sequence[str], context: ParameterContext) -> Any:
        """The parameter's value for a run.

        Args:
            texts: What was given, in order; several only for ``multiple``.
            context: For a default that is a function.

        Raises:
            UsageError: What was given is no such value, or nothing was given and something must be.
            FlowDefinitionError: The default is a function that failed or made a wrong type.
        """
        if texts:
            values = [self.convert(text) for text in texts]
            return tuple(values) if self.multiple else values[-1]
        if self.required and self.default is None:
            raise UsageError(
                f"Parameter '{self.name}' is required.",
                f"Give it as --{self.name} VALUE, or in the variable {self.variables[0]}.",
            )
        return self._default(context)

    def _default(self, context: ParameterContext) -> Any:
        default = self.default
        if callable(default) and not isinstance(default, type):
            default = self._computed(default, context)
        if isinstance(default, str) and (self.type is JSONType or self.separator is not None):
            default = self.convert(default)
        if self.multiple:
            return () if default is None else tuple(default)
        return default if self.separator is not None else self.fitted(default)

    def fitted(self, default: Any) -> Any:
        """A default as a value of the parameter's type: 2 for a float is 2.0, "5" for an int is 5.

        Raises:
            FlowDefinitionError: It is none, and stands for none.
        """
        if default is None or (has_type(default, self.type) and self.type is not float):
            return default
        try:
            if not isinstance(default, (str, int, float)):
                raise ValueError
            return convert_text(str(default), self.type)
        except ValueError as error:
            raise self.error(
                f"the default {default!r} is not of the type {self.type_name}.",
                "Change the default or the type.",
            ) from error

    def _computed(self, make: Callable[[ParameterContext], Any], context: ParameterContext) -> Any:
        try:
            value = make(context._replace(parameter_name=self.name))
        except Exception as error:
            words = (
                f"Parameter '{self.name}': its default's function failed: {type(error).__name__}: {error}."
            )
            raise ParameterFieldFailedError(words, None, self.file, self.line) from error
        if value is not None and not self.multiple and not has_type(value, self.type):
            raise ParameterFieldTypeMismatchError(
                f"Parameter '{self.name}': its default's function made {value!r}, a {type(value).__name__}, "
                f"where the parameter's type is {self.type_name}.",
                "Return that type, or declare the parameter with type=….",
                self.file,
                self.line,
            )
        return value

    def error(self, message: str, hint: Optional[str] = None) -> FlowDefinitionError:
        """The error that says what is wrong with this declaration, and where it stands."""
        return FlowDefinitionError(f"Parameter '{self.name}': {message}", hint, self.file, self.line)

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, type={self.type_name})"


def inferred_type(default: Any, multiple: bool, is_flag: bool = False) -> Any:
    """The type of a parameter that names none: its default's, text where that tells nothing."""
    if is_flag:
        return bool
    if default is None or callable(default):
        return str
    if multiple and isinstance(default, (list, tuple)):
        return inferred_type(default[0], False) if default else str
    if isinstance(default, (dict, list)):
        return JSONType
    return type(default)


def is_parameter_type(kind: Any) -> bool:
    """Whether a parameter can have this type."""
    return any(kind is known for known in _TYPES)
