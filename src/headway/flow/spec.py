"""``FlowSpec``, what people derive their flows from, and what the runtime does with its objects.

A flow object is inert unless the runtime binds it to a task. Bound, it reads what it has not got
from the task's inputs, lazily, and remembers what the step changed. Public names on ``FlowSpec``
are few, since each is one that no artifact can have; what the runtime needs are functions here.
"""

import sys
from types import FunctionType, MethodType

from headway.errors import HeadwayError
from headway.flow import entry
from headway.flow.inputs import Inputs
from headway.flow.members import configs_of, parameters_of, read_only_names
from headway.flow.merge import MergeArtifactsError, choose_artifacts
from headway.flow.state import TaskState, is_atomic
from headway.flow.step import steps_of
from headway.flow.task import Input, TaskContext, Transition
from headway.flow.transition import InvalidTransitionError, make_transition
from headway.plain import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

_STATE = "_headway"

#: Names of Metaflow's flow objects that are not public, and that some flows read all the same. All others, such as
#: ``_datastore`` and ``_graph``, tell of what there is not here.
_INSIDE = frozenset({"_current_step", "_foreach_stack", "_graph_info", "_transition"})


class FlowSpec:
    """A flow: derive from it, mark methods with ``@step``, and construct it to start its command line.

    Within a step, attributes are artifacts: what a step sets, the steps after it can read.

    Args:
        use_cli: Whether constructing the flow starts its command line.
    """

    def __init__(self, use_cli: bool = True) -> None:
        if use_cli:
            entry.start(type(self), vars(self))

    def next(
        self,
        *targets: Any,
        foreach: Optional[str] = None,
        num_parallel: Optional[int] = None,
        condition: Optional[str] = None,
        **unknown: Any,
    ) -> None:
        """Say what follows this step; its last statement.

        ``self.next(self.a)`` goes on, ``self.next(self.a, self.b)`` goes on twice,
        ``self.next(self.a, foreach="items")`` once for each item of ``self.items``,
        ``self.next(self.a, num_parallel=4)`` on four nodes at once,
        ``self.next({"x": self.a, "y": self.b}, condition="kind")`` where ``self.kind`` says.

        Raises:
            InvalidTransitionError: It is none of these, or the step has said so before.
        """
        state = _state(self)
        caller = sys._getframe(1)
        file, line = caller.f_code.co_filename, caller.f_lineno
        if state.transition is not None:
            raise InvalidTransitionError(
                f"self.next() in step '{state.task.step}' is called a second time, "
                f"after line {state.next_line}.",
                "Call it once, as the last statement of the step.",
                file,
                line,
            )
        given = {"foreach": foreach, "num_parallel": num_parallel, "condition": condition, **unknown}
        keywords = {name: value for name, value in given.items() if value is not None or name in unknown}
        values: Dict[str, Any] = {}

        def read(name: str) -> Any:
            value = getattr(self, name)
            # A property that yields its items starts anew each time it is read.
            once = hasattr(value, "__next__") and name not in self.__dict__
            values[name] = list(value) if once else value
            return values[name]

        state.transition = make_transition(state.task.step, file, line, read, targets, keywords)
        state.next_line = line
        if foreach is not None and foreach not in self.__dict__:
            state.keep_iterated(foreach, values[foreach])

    @classmethod
    def _get_parameters(cls) -> Iterator[Tuple[str, Any]]:
        """Each parameter and configuration with its attribute, under the name that flows know it by from Metaflow."""
        return iter([(name, getattr(cls, name)) for name in (*parameters_of(cls), *configs_of(cls))])

    @property
    def name(self) -> Any:
        """The flow's name, unless the step itself has set this to something else."""
        return self.__dict__.get("name", type(self).__name__)

    @name.setter
    def name(self, value: Any) -> None:
        self.__dict__["name"] = value

    @property
    def script_name(self) -> str:
        """The name of the file in which the flow's class stands; of the program, where that came from no file."""
        module = sys.modules.get(type(self).__module__)
        file = getattr(module, "__file__", None) or sys.argv[0]
        return file.replace("\\", "/").rpartition("/")[2] or "-c"

    @property
    def index(self) -> Optional[int]:
        """This task's place in the innermost foreach, from 0; None outside."""
        frames = _state(self).foreach_frames()
        return frames[-1][1][2] if frames else None

    @property
    def input(self) -> Any:
        """The item that the innermost foreach gave this task; None outside."""
        state = _state(self)
        frames = state.foreach_frames()
        return state.item(frames[-1][0]) if frames else None

    def foreach_stack(self) -> List[Tuple[int, int, Any]]:
        """(index, number of splits, item) of each foreach around this task, outermost first; [] outside."""
        state = _state(self)
        return [(frame[2], frame[3], state.item(level)) for level, frame in state.foreach_frames()]

    def merge_artifacts(
        self, inputs: Iterable[Any], exclude: Sequence[str] = (), include: Sequence[str] = ()
    ) -> None:
        """In a join, take over the artifacts on which all inputs agree.

        Contents are compared, not objects, and nothing is loaded. What the join has set already stays.

        Args:
            inputs: The join's inputs, or some of them.
            exclude: Names to leave out.
            include: The only names to take over, all of them needed.

        Raises:
            UnhandledInMergeArtifactsError: Inputs disagree on some name; set it before, or exclude it.
            MissingInMergeArtifactsError: No input has a name of include.
            MergeArtifactsError: This is no join, or both exclude and include are given.
        """
        state = _state(self)
        step = state.task.step
        if state.task.inputs is None:
            raise MergeArtifactsError(
                f"merge_artifacts is called in step '{step}', which is no join.",
                "Only a step that takes inputs has something to merge.",
            )
        chosen = [] if isinstance(inputs, FlowSpec) else list(inputs)
        if isinstance(inputs, FlowSpec) or not all(isinstance(each, FlowSpec) for each in chosen):
            raise MergeArtifactsError(
                f"merge_artifacts in step '{step}' takes the inputs of the join.",
                "Write self.merge_artifacts(inputs), or pass some of them: [inputs[0], inputs[1]].",
            )
        sources = [_state(each).task.source for each in chosen]
        own = vars(self)

        def is_set(name: str) -> bool:
            # What the class has under this name would hide the artifact anyway.
            return name in own or name in state.read_only or hasattr(type(self), name)

        state.adopted.update(choose_artifacts(step, sources, is_set, exclude, include))

    def __getattr__(self, name: str) -> Any:
        # Reached only where neither the object nor its class has the name.
        state: Optional[TaskState] = self.__dict__.get(_STATE)
        if state is None or name.startswith("__"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        source = state.source_of(name)
        if source is None:
            if name in _INSIDE:
                # For flows that look at how Metaflow works inside.
                from headway.flow.inside import inside

                return inside(state, name)
            raise AttributeError(state.missing(name))
        try:
            value = source.load(name)
        except AttributeError as error:
            # Left as it is, hasattr() would take an artifact whose class is gone for a missing one.
            raise HeadwayError(
                f"Artifact '{name}' of the inputs of step '{state.task.step}' cannot be loaded: {error}.",
                "Its class was probably renamed or moved; make it importable under its old name.",
            ) from error
        self.__dict__[name] = value
        if is_atomic(value):
            state.untouched.add(name)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        state: Optional[TaskState] = self.__dict__.get(_STATE)
        if state is not None:
            _check_assignment(state, name, value)
            state.untouched.discard(name)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        state: Optional[TaskState] = self.__dict__.get(_STATE)
        if state is None:
            object.__delattr__(self, name)
            return
        refusal = state.refusal(name)
        if refusal is not None:
            raise AttributeError(refusal)
        if name not in self.__dict__:
            if state.source_of(name) is None:
                raise AttributeError(state.missing(name))
            if not state.view:
                raise AttributeError(
                    f"Step '{state.task.step}' cannot delete '{name}', which it inherits and has not used. "
                    f"What is inherited goes on to the steps that follow: set self.{name} = None to end that."
                )
        # What the step set is gone. What it inherits gives up the memory alone, and is read again where it is
        # asked for, here or in the steps that follow.
        self.__dict__.pop(name, None)
        state.untouched.discard(name)

    def __iter__(self) -> Iterator[Any]:
        """The flow's steps."""
        return iter([getattr(self, name) for name in steps_of(type(self))])

    def __reduce__(self) -> Any:
        raise HeadwayError(
            "A flow object (self, or an input of a join) cannot be stored or pickled.",
            "Keep the values that you need instead of the object.",
        )

    def __repr__(self) -> str:
        state: Optional[TaskState] = self.__dict__.get(_STATE)
        if state is None:
            return f"<flow {type(self).__name__}>"
        stack = self.foreach_stack()
        indices = ",".join(str(index) for index, _, _ in stack)
        place = f"[{indices}] (input: {stack[-1][2]})" if stack else ""
        return f"<flow {type(self).__name__} step {state.task.step}{place}>"


def bind(cls: Any, task: TaskContext) -> Any:
    """A flow object for one task, its steps ready to be called."""
    return _bound(cls, task, view=False)


def call_step(flow: Any) -> Optional[Transition]:
    """Call the step of the bound task, with ``inputs`` if it is a join; what its ``self.next`` said."""
    state = _state(flow)
    step = getattr(flow, state.task.step)
    if state.task.inputs is None:
        step()
    else:
        step(inputs_of(flow))
    return state.transition


def inputs_of(flow: Any) -> Inputs:
    """The ``inputs`` of a flow object that is bound to a join."""
    state = _state(flow)
    parameters = state.task.parameters
    if state.inputs is None:

        def view(each: Input) -> Any:
            frames = each.frames() if callable(each.frames) else each.frames
            task = TaskContext(each.source, each.step, frames, parameters)
            return _bound(type(flow), task, view=True)

        state.inputs = Inputs(state.task.inputs or (), view)
    inputs: Inputs = state.inputs
    return inputs


def task_of(flow: Any) -> TaskContext:
    """What the runtime told a flow object of the task that it is bound to."""
    return _state(flow).task


def transition_of(flow: Any) -> Optional[Transition]:
    """What ``self.next`` said, None if it was not called."""
    return _state(flow).transition


def produced(flow: Any) -> Dict[str, object]:
    """The artifacts to store after the step: what it set, and what it read and may have changed in place.

    With them goes what its foreach goes over, if that is none of its attributes.
    """
    state = _state(flow)
    made = {
        name: value
        for name, value in vars(flow).items()
        if name != _STATE and name not in state.untouched and name not in state.read_only
    }
    return {**made, **state.iterated}


def functions_set(flow: Any) -> Dict[str, object]:
    """The functions and bound methods among what :func:`produced` gives, by name."""
    return {
        name: value for name, value in produced(flow).items() if isinstance(value, (FunctionType, MethodType))
    }


def inherited(flow: Any) -> Dict[str, Any]:
    """The artifacts that the step left alone: name to the place that their source tells."""
    state = _state(flow)
    new = produced(flow)
    places = {name: state.task.source.ref(name) for name in state.task.source.names()}
    places.update((name, source.ref(name)) for name, source in state.adopted.items())
    places.update(state.kept_iterables(lambda name: name in new))
    return {name: ref for name, ref in places.items() if name not in new}


def _bound(cls: Any, task: TaskContext, view: bool) -> Any:
    flow = cls.__new__(cls)
    read_only = read_only_names(cls)
    if task.parameters:
        read_only = {**dict.fromkeys(task.parameters, "a parameter of the flow"), **read_only}
    if not view:
        # A constructor of the flow's own comes before each task; what it sets are the task's artifacts.
        given = entry.constructed_with(cls)
        flow.__dict__.update((name, value) for name, value in given.items() if name not in read_only)
    flow.__dict__[_STATE] = TaskState(task, read_only, view)
    return flow


def _check_assignment(state: TaskState, name: str, value: object) -> None:
    refusal = state.refusal(name)
    if refusal is not None:
        raise AttributeError(refusal)
    if isinstance(value, (FlowSpec, Inputs)):
        what = "the inputs of a join" if isinstance(value, Inputs) else "a flow object"
        raise HeadwayError(
            f"self.{name} in step '{state.task.step}' is {what}, which cannot be stored.",
            "Keep the values that you need instead of the object.",
        )


def _state(flow: Any) -> TaskState:
    state = vars(flow).get(_STATE)
    if not isinstance(state, TaskState):
        raise HeadwayError(
            f"This {type(flow).__name__} object is not running a step.",
            "Start the flow with its command line: python flow.py run.",
        )
    return state
