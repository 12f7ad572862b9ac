"""A call of a pipeline as a task: the class with the one step that it is. Loaded for tasks of pipelines only.

Everything that holds for the steps of a class (what is stored, caught, salvaged, wrapped) then holds for it.
"""

from functools import wraps
from importlib import import_module

from headway.call import CONSTANTS, Call, Place, replaced
from headway.errors import FlowDefinitionError, HeadwayError
from headway.flow.spec import FlowSpec, task_of
from headway.plain import Any, Callable, Dict, Tuple


def class_of(flow: str, step: str, call: Call) -> Any:
    """A flow class that has this call as its step.

    Args:
        flow: The pipeline's name.
        step: The call's.
        call: What it is.

    Raises:
        FlowDefinitionError: The function is not where it was.
    """
    found = _find(call)

    # What was noted on the step is wanted on the method.
    @wraps(found)
    def run(self: Any, inputs: Any = None) -> None:
        _keep(self, step, call, found(**_arguments(self, step, call)))

    return type(flow, (FlowSpec,), {step: run, "__module__": call.module})


def _find(call: Call) -> Callable[..., Any]:
    found: Any = import_module(call.module)
    try:
        for part in call.name.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise FlowDefinitionError(
            f"The step {call.name} is not in {call.module} once that has been imported.",
            "Define it at the top level of its file, not inside a function or a main guard.",
        ) from error
    function: Callable[..., Any] = found
    return function


def _arguments(flow: Any, step: str, call: Call) -> Dict[str, Any]:
    task = task_of(flow)
    inputs = task.inputs or ()
    loaded: Dict[Tuple[int, str], Any] = {}

    def load(need: int, artifact: str) -> Any:
        # What is given twice is one object, as it was in the body.
        if (need, artifact) not in loaded:
            loaded[need, artifact] = inputs[need].source.load(artifact)
        return loaded[need, artifact]

    given: Dict[str, Any] = {}
    if call.constants:
        constants = task.source.load(CONSTANTS + step)
        given.update(replaced(constants, Place, lambda place: load(place.need, place.artifact)))
    given.update((name, load(need, artifact)) for name, need, artifact in call.arguments)
    return given


def _keep(flow: Any, step: str, call: Call, result: Any) -> None:
    """Make the step's artifacts of what the function returned."""
    values = (result,)
    if call.several or not call.outputs:
        values = _taken_apart(step, call, result)
    # Not by setting attributes: an output may be called like something that flow objects have.
    vars(flow).update(zip(call.outputs, values))


def _taken_apart(step: str, call: Call, result: Any) -> Tuple[Any, ...]:
    count = len(call.outputs)
    if not count:
        if result is None:
            return ()
        raise HeadwayError(
            f"Step {step} returned a {type(result).__name__}, where its annotation says that it returns None.",
            "Annotate what it returns: -> int, or -> Annotated[int, 'rows'] to give it a name.",
        )
    if isinstance(result, (tuple, list)) and len(result) == count:
        return tuple(result)
    what = f"{len(result)} values" if isinstance(result, (tuple, list)) else f"a {type(result).__name__}"
    raise HeadwayError(
        f"Step {step} returned {what}, where its annotation has {count}: {', '.join(call.outputs)}.",
        "Return a tuple of as many values, or change the annotation.",
    )
