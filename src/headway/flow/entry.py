"""The one hook upwards: what constructing a flow does.

``MyFlow()`` starts the command line, which stands in a layer above. The package's facade registers
it here; processes that only run steps disable it, so that importing a flow, with or without a main
guard, starts nothing there.
"""

import os
import sys

from headway.plain import Any, Callable, Dict, Mapping, Optional, Tuple

_start: Optional[Callable[[Any], object]] = None
_start_pipeline: Optional[Callable[[Any, Tuple[Any, ...], Mapping[str, Any]], object]] = None
_disabled = False
_in_main = False
_constructed: Dict[Any, Mapping[str, Any]] = {}


class _ConstructedError(BaseException):
    """The main file, run again for its steps, has come to where it constructs a flow."""


def register(start: Callable[[Any], object]) -> None:
    """Say what ``MyFlow()`` does; it is called with the class."""
    global _start
    _start = start


def register_pipelines(start: Callable[[Any, Tuple[Any, ...], Mapping[str, Any]], object]) -> None:
    """Say what calling a pipeline does; it is called with the pipeline and the arguments."""
    global _start_pipeline
    _start_pipeline = start


def disable() -> None:
    """From now on constructing a flow does nothing in this process."""
    global _disabled
    _disabled = True


def enable() -> None:
    """Undo :func:`disable`; for tests and for a process that goes on to be a launcher."""
    global _disabled
    _disabled = False


def start(flow: Any, attributes: Mapping[str, Any]) -> None:
    """Start what is registered for this flow class, unless that is disabled.

    Nothing is started either where multiprocessing imports the main file again, as ``__mp_main__``, for
    a process that a step starts: it could be meant for the person's own program only.

    Args:
        flow: The class.
        attributes: What a constructor of the class's own has set by then.
    """
    if _disabled:
        if _in_main:
            _constructed[flow] = dict(attributes)
            raise _ConstructedError
    elif _start is not None and flow.__module__ != "__mp_main__":
        _start(flow)


def start_pipeline(pipeline: Any, arguments: Tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """Start what is registered for a pipeline that is called, unless that is disabled, as for a flow.

    Returns:
        What that returns: the run.

    Raises:
        HeadwayError: A step calls it: nothing would run.
    """
    if _disabled:
        if _in_main:
            raise _ConstructedError
        if sys._getframe(2).f_code.co_name != "<module>":
            _refuse_within_step(pipeline)
    elif _start_pipeline is not None and pipeline.__module__ != "__mp_main__":
        return _start_pipeline(pipeline, arguments, named)
    return None


def _refuse_within_step(pipeline: Any) -> None:
    # Only on the way to an error; within a step they are loaded.
    from headway.errors import HeadwayError
    from headway.flow.current import current

    if current.is_running_flow:
        raise HeadwayError(
            f"Step {current.step_name} calls pipeline {pipeline.name}, and a step starts no runs.",
            "Call it in the body of the other pipeline, where its calls become that one's, or in the program.",
        )


def until_constructed(run: Callable[[], object]) -> None:
    """Run the main file as far as its own program gets: to where it constructs its flow.

    The command line never returns from there, so what stands behind is not meant for steps either.

    Args:
        run: Runs it.
    """
    global _in_main
    _in_main = True
    try:
        run()
    except _ConstructedError:
        pass
    finally:
        _in_main = False


def constructed_with(flow: Any) -> Mapping[str, Any]:
    """What a constructor of this class's own has set before the command line took over."""
    return _constructed.get(flow, {})


def keep_standard_module(path: str) -> None:
    """Load the module of the standard library that a flow's file is called like, before that file hides it.

    The folder of a program is the first in which modules are looked for: where the flow stands in
    ``random.py``, whoever imports ``random`` would run the flow a second time, and fail.

    Args:
        path: The flow's main file.
    """
    name = os.path.basename(path).partition(".")[0]
    # Python 3.9 does not know the names, and there it is as Python has it.
    if name in sys.modules or name not in getattr(sys, "stdlib_module_names", ()):
        return
    folders = sys.path[:]
    own = os.path.realpath(os.path.dirname(path))
    sys.path[:] = [each for each in folders if os.path.realpath(each) != own]
    try:
        __import__(name)
    except ImportError:
        # A module of another platform: nobody here imports it.
        sys.modules.pop(name, None)
    finally:
        sys.path[:] = folders
