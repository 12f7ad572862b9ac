"""What a flow object is told of the task that it is bound to, and what its step says at the end."""

from headway.plain import (
    Any,
    Callable,
    FrozenSet,
    Iterable,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

#: One level of fan-out, outermost first: (split step, split task, index, count, variable or None).
#: The same shape as the store's; this layer stands below it.
Frame = Tuple[str, str, int, int, Optional[str]]

#: Before the name of an artifact that keeps what a foreach goes over, once its own name means
#: something else. Named after the split step; never shown, never merged.
HIDDEN_PREFIX = "_headway_"


class ArtifactSource(Protocol):
    """The artifacts of a finished attempt, by name, fetched when asked for."""

    def names(self) -> Iterable[str]:
        """All names."""
        ...

    def load(self, name: str) -> Any:
        """The value; a new object each time is fine, the caller keeps it."""
        ...

    def ref(self, name: str) -> Any:
        """Where the value is: with a ``sha256``, the same for the same content, and the ``type`` if known."""
        ...


class Input(NamedTuple):
    """One of the attempts that a join joins.

    Attributes:
        step: The step it is of.
        source: Its artifacts.
        frames: The fan-out it stands in, its own index in the last, or what tells it once the input
            is touched; () leaves ``index`` and ``input`` of the input unknown.
    """

    step: str
    source: ArtifactSource
    frames: Union[Tuple[Frame, ...], Callable[[], Tuple[Frame, ...]]] = ()


class TaskContext(NamedTuple):
    """What the runtime tells a flow object of the task it is bound to.

    Attributes:
        source: The artifacts it inherits: of the one step before; for a join those of the run itself.
        step: The step that will be called.
        frames: The fan-out the task stands in, outermost first.
        parameters: Names that steps must not assign, beside the class's own parameters and constants.
        inputs: For a join: what it joins, in split order.
    """

    source: ArtifactSource
    step: str = ""
    frames: Tuple[Frame, ...] = ()
    parameters: FrozenSet[str] = frozenset()
    inputs: Optional[Sequence[Input]] = None


class Transition(NamedTuple):
    """What ``self.next`` said.

    Attributes:
        targets: The steps that follow; for a switch the one that was chosen.
        foreach: The artifact that a foreach goes over, ``_parallel`` for ``num_parallel``.
        splits: How many tasks the one target gets, None where it is not a foreach.
        condition: The artifact that a switch looked at.
        choice: Its value, as text.
    """

    targets: Tuple[str, ...]
    foreach: Optional[str] = None
    splits: Optional[int] = None
    condition: Optional[str] = None
    choice: Optional[str] = None
