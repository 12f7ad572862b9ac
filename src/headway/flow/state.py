"""The state of a bound flow object: what it can read, what its step changed."""

from headway.errors import HeadwayError
from headway.flow.graph import PARALLEL_VARIABLE
from headway.flow.names import did_you_mean
from headway.flow.splits import item_at
from headway.flow.task import HIDDEN_PREFIX, ArtifactSource, Frame, TaskContext, Transition
from headway.plain import Any, Callable, Dict, List, Mapping, Optional, Set, Tuple

_ATOMS = frozenset({int, float, complex, bool, str, bytes, type(None), type(Ellipsis), range})


class TaskState:
    """The part of a bound flow object that is not artifacts.

    Attributes:
        task: What the runtime said.
        read_only: Names that the step must not assign, and why not.
        view: Whether the object is an input of a join: what is set on it is never stored.
        untouched: Loaded values that cannot have changed; they need not be stored again.
        adopted: Artifacts taken over by ``merge_artifacts``: name to the source they came from.
        transition: What ``self.next`` said, None before.
        next_line: The line that said it.
        inputs: The ``inputs`` of a join, made when first asked for.
        iterated: Under its hidden name, what the step's foreach goes over where no artifact is that.
    """

    __slots__ = (
        "_items",
        "adopted",
        "inputs",
        "iterated",
        "next_line",
        "read_only",
        "task",
        "transition",
        "untouched",
        "view",
    )

    def __init__(self, task: TaskContext, read_only: Mapping[str, str], view: bool = False) -> None:
        self.task = task
        self.read_only = read_only
        self.view = view
        self.untouched: Set[str] = set()
        self.adopted: Dict[str, ArtifactSource] = {}
        self.transition: Optional[Transition] = None
        self.next_line = 0
        self.inputs: Any = None
        self.iterated: Dict[str, object] = {}
        self._items: Dict[int, Any] = {}

    def names(self) -> Set[str]:
        """The artifacts that can be loaded."""
        return set(self.task.source.names()) | set(self.adopted)

    def source_of(self, name: str) -> Optional[ArtifactSource]:
        """Where an artifact would be loaded from, None if there is no such artifact."""
        if name in self.adopted:
            return self.adopted[name]
        return self.task.source if name in self.task.source.names() else None

    def foreach_frames(self) -> List[Tuple[int, Frame]]:
        """The levels of the fan-out that are a foreach or a gang, with their place among all levels."""
        return [(level, frame) for level, frame in enumerate(self.task.frames) if frame[4] is not None]

    def item(self, level: int) -> Any:
        """What a foreach gave this task at one level of its fan-out.

        Raises:
            HeadwayError: No artifact is what the foreach goes over.
        """
        if level not in self._items:
            self._items[level] = self._find_item(self.task.frames[level])
        return self._items[level]

    def _find_item(self, frame: Frame) -> Any:
        split, _, index, _, variable = frame
        if variable == PARALLEL_VARIABLE:
            return index
        found = self.iterable_source(frame)
        if found is None:
            raise HeadwayError(
                f"What the foreach of step '{split}' goes over ('{variable}') is not kept among the artifacts of "
                f"step '{self.task.step}'.",
                f"The task of '{split}' is of an older version, most likely: run it again, with resume {split}.",
            )
        name, source = found
        # Loaded apart from the attribute of that name: a step that only looks at its input
        # must not be taken to have touched the whole of what the foreach goes over.
        return item_at(source.load(name), index)

    def iterable_source(self, frame: Frame) -> Optional[Tuple[str, ArtifactSource]]:
        """Under which name, and where, stands what this level of the fan-out goes over."""
        split, _, _, _, variable = frame
        sources = [self.task.source, *(each.source for each in (self.task.inputs or ())[:1])]
        for name in (HIDDEN_PREFIX + split, variable):
            for source in sources:
                if name is not None and name in source.names():
                    return name, source
        return None

    def keep_iterated(self, name: str, value: object) -> None:
        """Keep what the step's foreach goes over for its tasks, where the class computes it or has it to itself.

        Such are properties and private attributes: no artifact has their value. Of parameters, configurations
        and constants there is one.
        """
        if name not in self.read_only or self.source_of(name) is None:
            self.iterated[HIDDEN_PREFIX + self.task.step] = value

    def kept_iterables(self, own: Callable[[str], bool]) -> Dict[str, Any]:
        """Hidden artifacts that keep a foreach's iterable readable after the step.

        They are needed where the step gave the name another meaning, and behind a join,
        which inherits nothing. Places only: nothing is stored again.

        Args:
            own: Whether the step leaves an artifact of its own, or none, under a name.
        """
        kept = {}
        for _, frame in self.foreach_frames():
            found = self.iterable_source(frame)
            if found is None:
                continue
            name, source = found
            inherited = source is self.task.source and not own(name)
            if not inherited:
                kept[HIDDEN_PREFIX + frame[0]] = source.ref(name)
        return kept

    def refusal(self, name: str) -> Optional[str]:
        """Why the step cannot assign or delete this name, None where it can."""
        if name in self.read_only:
            who = f"An input from step '{self.task.step}'" if self.view else f"Step '{self.task.step}'"
            return f"{who} cannot change '{name}', which is {self.read_only[name]}. Use another name."
        return None

    def missing(self, name: str) -> str:
        """What to say where there is no artifact of this name."""
        step = self.task.step
        shown = [each for each in self.names() if not each.startswith("_")]
        if self.view:
            return (
                f"The input from step '{step}' has no artifact '{name}'. {did_you_mean(name, shown)}".rstrip()
            )
        message = f"Step '{step}' has no artifact '{name}'."
        if name == "cmd":
            return f"{message} Of Metaflow's legacy self.cmd(…) there is none here: call subprocess.run(…)."
        if any(name in each.source.names() for each in self.task.inputs or ()):
            return (
                f"{message} A join inherits no artifacts: read it from its inputs (inputs[0].{name}), "
                "or call self.merge_artifacts(inputs) first."
            )
        return f"{message} {did_you_mean(name, shown, 'self.{}')}".rstrip()


def is_atomic(value: object) -> bool:
    """Whether a value cannot change: what was loaded as such need not be stored again."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if kind is tuple or kind is frozenset:
        return all(is_atomic(item) for item in value)  # type: ignore[attr-defined]
    return False
