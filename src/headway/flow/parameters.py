"""Parameters: the values that a run is given, declared as attributes of the flow's class."""

import sys

from headway.errors import FlowDefinitionError, UsageError
from headway.flow.values import JSONType, convert_text, fit, has_type, inferred_type, type_name
from headway.plain import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Tuple


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
        type: str, int, float, bool, JSONType, or what makes a value of a text (a function, a type of click's);
            a tuple of these for as many texts. Else the default's type, else str.
        help: What it means, for ``--help``.
        required: Whether a run must be given a value.
        show_default: Whether ``--help`` shows the default; text is shown in its place.
        multiple: Whether the option can be given several times; the value is then a tuple.
        separator: For text: what stands between the items of a list.
        **options: What click's options know beside these. ``is_flag=True`` makes it an option without a value:
            its name alone means true, or false where true is the default, or ``flag_value``. ``count=True``
            counts how often its name is given. ``nargs=2`` takes two texts, and the value is a tuple.
            ``callback`` is called with click's context, the option and the value, and returns the value that
            counts. ``envvar`` names variables of its own, ``allow_from_autoenv=False`` leaves the others out;
            ``prompt`` asks for what is not given; ``hidden``, ``metavar`` and ``show_envvar`` are for ``--help``.
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
        self.type: Any = type if self.typed else self.inferred_type()

    def __set_name__(self, owner: Any, attribute: str) -> None:
        self.attribute = attribute

    def __get__(self, flow: Any, owner: Any = None) -> Any:
        """The value within a step, the declaration itself on the class."""
        # Once loaded, the value stands in the object's own dictionary, which Python looks in first.
        return self if flow is None else flow.__getattr__(self.attribute)

    @property
    def is_flag(self) -> bool:
        """Whether the option has no value: given, the parameter is :attr:`flag_value`."""
        said = self.options.get("is_flag")
        return self.options.get("flag_value") is not None if said is None else said is True

    @property
    def flag_value(self) -> Any:
        """What its name alone stands for: the opposite of the default, unless it says something else."""
        said = self.options.get("flag_value")
        return not self.default if said is None else said

    @property
    def counts(self) -> bool:
        """Whether the value is how often its name was given."""
        return self.options.get("count") is True

    @property
    def nargs(self) -> int:
        """How many texts the option takes each time."""
        said = self.options.get("nargs")
        if isinstance(said, int):
            return said
        return len(self.type) if isinstance(self.type, tuple) else 1

    @property
    def variables(self) -> Tuple[str, ...]:
        """The environment variables that can give the value; the first that is set counts."""
        said = self.options.get("envvar") or ()
        own = (said,) if isinstance(said, str) else tuple(said)
        if self.options.get("allow_from_autoenv") is False:
            return own
        suffix = "RUN_" + self.name.upper().replace("-", "_")
        return (*own, "HEADWAY_" + suffix, "METAFLOW_" + suffix)

    @property
    def type_name(self) -> str:
        """The type in one word, for ``--help`` and errors."""
        return type_name(self.type)

    @property
    def how(self) -> str:
        """How to give it, as a sentence."""
        typed = f"--{self.name}" + ("" if self.is_flag or self.counts else " VALUE" * self.nargs)
        variable = f", or in the variable {self.variables[0]}" if self.variables else ""
        return f"Give it as {typed}{variable}."

    def inferred_type(self) -> Any:
        """The type that its default tells, or the kind of option that it is."""
        if self.counts:
            return int
        if self.is_flag:
            return type(self.flag_value)
        several = bool(self.multiple) or self.options.get("nargs", 1) != 1
        return inferred_type(self.default, several)

    def convert(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            UsageError: The text is no such value.
        """
        if self.separator is not None:
            return text.split(self.separator) if text else []
        return self._converted(text, self.type)

    def value(self, texts: Sequence[str], context: ParameterContext) -> Any:
        """The parameter's value for a run.

        Args:
            texts: What was given, in order; several only for ``multiple`` and ``nargs``.
            context: For a default that is a function.

        Raises:
            UsageError: What was given is no such value, or nothing was given and something must be.
            FlowDefinitionError: The default is a function that failed or made a wrong type.
        """
        if texts:
            return self._given(texts)
        if self.required and self.default is None:
            raise UsageError(f"Parameter '{self.name}' is required.", self.how)
        return self._default(context)

    def _given(self, texts: Sequence[str]) -> Any:
        if self.is_flag:
            # What its name stands for may be no text.
            return self.flag_value if texts[-1] == str(self.flag_value) else self.convert(texts[-1])
        if self.counts:
            return self._converted(texts[-1], int)
        size = self.nargs
        if len(texts) % size:
            raise UsageError(
                f"Parameter '{self.name}' takes {size} values each time, not {len(texts)}.", self.how
            )
        values = [self._of_one(texts[at : at + size]) for at in range(0, len(texts), size)]
        return tuple(values) if self.multiple else values[-1]

    def _of_one(self, texts: Sequence[str]) -> Any:
        """The value of one time that the option is given."""
        if self.nargs == 1 and not isinstance(self.type, tuple):
            return self.convert(texts[0])
        return tuple(self._converted(text, kind) for text, kind in zip(texts, self._kinds()))

    def _kinds(self) -> Sequence[Any]:
        return self.type if isinstance(self.type, tuple) else (self.type,) * self.nargs

    def _converted(self, text: str, kind: Any) -> Any:
        try:
            return convert_text(text, kind)
        except ValueError as error:
            raise UsageError(f"Parameter '{self.name}' cannot be {text!r}: {error}.", self.how) from error

    def _default(self, context: ParameterContext) -> Any:
        default = self.default
        if callable(default) and not isinstance(default, type):
            default = self._computed(default, context)
        if self.is_flag:
            return self._left_out(default)
        if self.counts and default is None:
            return 0
        if isinstance(default, str) and (self.type is JSONType or self.separator is not None):
            default = self.convert(default)
        return default if self.separator is not None else self.fitted(default)

    def _left_out(self, default: Any) -> Any:
        """The value of a flag that is not given, as click has it."""
        if self.type is bool and isinstance(self.flag_value, bool):
            # One that says that it is a bool, and nothing else, is false.
            return self.fitted(False if default is None and self.typed else default)
        return self.flag_value if default else None

    def fitted(self, default: Any) -> Any:
        """A default as a value of the parameter's type: 2 for a float is 2.0, "5" for an int is 5.

        Raises:
            FlowDefinitionError: It is none, and stands for none.
        """
        try:
            if self.multiple:
                return tuple(map(self._fitted_one, () if default is None else default))
            return self._fitted_one(default)
        except (TypeError, ValueError) as error:
            several = "" if not self.multiple and self.nargs == 1 else "several values "
            raise self.error(
                f"the default {default!r} is not {several}of the type {self.type_name}.",
                "Change the default or the type.",
            ) from error

    def _fitted_one(self, default: Any) -> Any:
        if self.nargs == 1 and not isinstance(self.type, tuple):
            return fit(default, self.type)
        values, kinds = () if default is None else tuple(default), self._kinds()
        if values and len(values) != len(kinds):
            raise ValueError("it has another length")
        return tuple(map(fit, values, kinds))

    def _computed(self, make: Callable[[ParameterContext], Any], context: ParameterContext) -> Any:
        try:
            value = make(context._replace(parameter_name=self.name))
        except Exception as error:
            words = (
                f"Parameter '{self.name}': its default's function failed: {type(error).__name__}: {error}."
            )
            raise ParameterFieldFailedError(words, None, self.file, self.line) from error
        one = not self.multiple and self.nargs == 1
        if value is not None and one and not has_type(value, self.type):
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
