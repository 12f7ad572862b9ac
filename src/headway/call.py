"""One call of a step in a pipeline: which function, with what, and what its result is called.

Pods load it for pipelines alone, and then before anything of theirs: nothing more than the note itself stands here.
"""

from headway.plain import Any, Callable, Dict, Mapping, NamedTuple, Tuple

#: Before the name of the artifact, one of the run's parameters, that holds what a call is given as such.
CONSTANTS = "_headway_call_"


class Call(NamedTuple):
    """A call, as the pipeline's body made it.

    Attributes:
        module: Where the function is.
        name: Its qualified name there.
        arguments: Those that are outputs of other calls: (parameter, which of the calls it needs, artifact).
        outputs: The artifacts that its result becomes.
        several: Whether the result is a tuple of them, or the one output itself.
        constants: Whether there are other arguments, which stand with the run's parameters.
    """

    module: str
    name: str
    arguments: Tuple[Tuple[str, int, str], ...] = ()
    outputs: Tuple[str, ...] = ()
    several: bool = False
    constants: bool = False

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Call":
        """The inverse of ``_asdict`` through JSON; fields that a newer version added are ignored."""
        known: Dict[str, Any] = {name: value for name, value in raw.items() if name in cls._fields}
        known["arguments"] = tuple((each[0], each[1], each[2]) for each in known.get("arguments", ()))
        known["outputs"] = tuple(known.get("outputs", ()))
        return cls(**known)


class Place:
    """Stands within a list, tuple or dict of arguments for an output of a call that is needed."""

    def __init__(self, need: int, artifact: str) -> None:
        self.need = need
        self.artifact = artifact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Place({self.need}, {self.artifact!r})"


def replaced(value: Any, kind: type, by: Callable[[Any], Any]) -> Any:
    """A value in which what is of a kind, also within lists, tuples and dicts, has something else in its place."""
    if type(value) is kind:
        return by(value)
    if type(value) in (list, tuple):
        return type(value)(replaced(item, kind, by) for item in value)
    if type(value) is dict:
        return {key: replaced(item, kind, by) for key, item in value.items()}
    return value
