"""Steps that are functions: what ``@step`` makes of a function outside any class. Loaded where there are such.

Called in the body of a pipeline that is being traced, it notes the call; anywhere else, in a test for
instance, it is the function. It stays a function in every way, so that decorators can stand above it.
"""

from _thread import get_ident
from functools import wraps

from headway.plain import Any, Callable, Dict, Mapping, Optional, Tuple

_OPTIONS = "_headway_options"
_FUNCTION = "_headway_function"

#: Takes the step or pipeline, its arguments without and with names; returns what stands for its outputs.
Note = Callable[[Any, Tuple[Any, ...], Mapping[str, Any]], Any]

#: By thread: each may trace a pipeline of its own.
_notes: Dict[int, Note] = {}


def note_calls(note: Optional[Note]) -> Optional[Note]:
    """Say what hears of calls of steps in this thread from now on, None for nobody; what did until now."""
    before = _notes.pop(get_ident(), None)
    if note is not None:
        _notes[get_ident()] = note
    return before


def is_traced() -> bool:
    """Whether the body of a pipeline is being traced in this thread."""
    return bool(_notes) and get_ident() in _notes


def note_call(called: Any, arguments: Tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Note the call of a step, or of a pipeline within another one's body; only while one is traced."""
    return _notes[get_ident()](called, arguments, named)


def function_step(function: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    """A step that is a function.

    Args:
        function: The function.
        options: What ``@step`` was given; checked when a pipeline is traced.

    Returns:
        The step, with ``entrypoint`` (the function), ``with_options`` (a copy of the step with other options)
        and ``configure`` (the step itself, changed).
    """
    known = dict(options)

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        return note_call(call, arguments, named) if is_traced() else function(*arguments, **named)

    def with_options(**more: Any) -> Callable[..., Any]:
        copy = function_step(function, options_with(known, more))
        # Decorators that stand above @step are noted on the step, not on the function.
        copy.__dict__.update({name: value for name, value in call.__dict__.items() if name not in own})
        return copy

    def configure(**more: Any) -> Callable[..., Any]:
        known.update(options_with(known, more))
        return call

    own = {
        _OPTIONS: known,
        _FUNCTION: function,
        "entrypoint": function,
        "with_options": with_options,
        "configure": configure,
        "__wrapped__": function,
    }
    call.__dict__.update(own)
    return call


def options_with(known: Mapping[str, Any], more: Mapping[str, Any]) -> Dict[str, Any]:
    """Options of ``@step`` or ``@pipeline`` with others above them, dicts among them merged; not with ``merge=False``."""
    given = dict(more)
    if not given.pop("merge", True):
        return {**known, **given}
    from headway.flow.operator_settings import merged  # for steps that are given other options

    return merged(known, given)


def options_of(step: Any) -> Dict[str, Any]:
    """What ``@step`` of a step that is a function was given."""
    options: Dict[str, Any] = step.__dict__[_OPTIONS]
    return options


def function_of(step: Any) -> Callable[..., Any]:
    """The function of a step; what is no such step is itself."""
    function: Callable[..., Any] = getattr(step, "__dict__", {}).get(_FUNCTION, step)
    return function
