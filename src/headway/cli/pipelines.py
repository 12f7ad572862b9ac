"""What calling a pipeline does: its command line where one was typed, else a run with these arguments."""

import inspect
import json
import os
import sys
import tempfile
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headway.cli import errors
from headway.errors import FlowDefinitionError, HeadwayError, PipelineFailedError, UsageError
from headway.flow.parameters import Parameter
from headway.flow.pipeline import Pipeline
from headway.flow.spec import FlowSpec
from headway.flow.values import JSONType
from headway.ui.writer import StreamWriter

#: Under which a pipeline's class holds it, the arguments that no text stands for, and those that text only resembles.
PIPELINE, ARGUMENTS, RESEMBLED = "_headway_pipeline", "_headway_arguments", "_headway_resembled"

#: The variable that says which of a program's pipelines its commands are for: the first that it calls by default.
WANTED = "HEADWAY_PIPELINE"

#: The pipelines that this program has called.
_called: list[str] = []

_ABSENT = inspect.Parameter.empty


def call_pipeline(pipeline: Pipeline, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """Do what calling a pipeline means in this process.

    Returns:
        The :class:`headway.Run`, once it has succeeded; None where the process was started with a command for
        another pipeline.

    Raises:
        PipelineFailedError: It has failed.
        SystemExit: It could not be run, which was told; or the process was started with a command, and has done it.
    """
    from headway.cli.start import run_command, start_flow

    try:
        flow_class = as_flow(pipeline, given, named)
    except HeadwayError as error:
        # As whatever else is found out about it.
        sys.exit(errors.report(error, StreamWriter()))
    words = sys.argv[1:]
    if is_command(flow_class, words):
        wanted = os.environ.get(WANTED, pipeline.name)
        if wanted != pipeline.name:
            StreamWriter()(
                f"{pipeline.name} is left out: the command is for {wanted} ({WANTED}).", error=True
            )
            return None
        start_flow(flow_class)
    _called.append(pipeline.name)
    with tempfile.TemporaryDirectory(prefix="headway-") as folder:
        told = Path(folder) / "run.json"
        arguments = ["run", "--runner-attribute-file", str(told)]
        code = run_command(flow_class, arguments, sys.argv[0])
        run = _run_of(told) if told.exists() else None
    if code == errors.SUCCESS:
        return run
    if code == errors.FAILED and run is not None:
        raise PipelineFailedError(f"Pipeline {pipeline.name} failed in run {run.pathspec}.", run)
    sys.exit(code)


def as_flow(pipeline: Pipeline, given: Sequence[Any] = (), named: Mapping[str, Any] = {}) -> Any:
    """A flow class that stands for a pipeline on the command line, with its parameters.

    Args:
        pipeline: The pipeline.
        given: Arguments without names; they, and those with, are the parameters' defaults.
        named: Arguments with names.

    Raises:
        FlowDefinitionError: They are not what the pipeline takes, or its name cannot be a flow's.
    """
    signature = inspect.signature(pipeline.entrypoint)
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise _error(
                pipeline, f"takes {parameter}, and a pipeline's parameters have names.", "Write them out."
            )
    takes = f"It takes {', '.join(signature.parameters) or 'nothing'}."
    try:
        bound = signature.bind_partial(*given, **named).arguments
    except TypeError as error:
        raise _error(pipeline, f"is called with what it does not take: {error}.", takes) from None
    configured = pipeline.options.get("parameters") or {}
    if not isinstance(configured, Mapping) or not signature.parameters.keys() >= configured.keys():
        raise _error(pipeline, f"has parameters={configured!r}, which it does not take.", takes)
    bound = {**configured, **bound}
    if not all(part.isidentifier() for part in pipeline.name.replace("-", "_").split(".")):
        raise _error(pipeline, f"has the name {pipeline.name!r}.", "Use letters, digits, _ and -.")
    members: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    resembled: dict[str, tuple[Any, Any]] = {}
    types = _types(pipeline)
    for name, parameter in signature.parameters.items():
        value = bound.get(name, parameter.default)
        if value is not _ABSENT and not _is_text(value):
            arguments[name] = value
            continue
        if isinstance(value, (list, tuple, dict)):
            resembled[name] = (json.loads(json.dumps(value)), value)
        members[name] = made = Parameter(name, **_described(value, types.get(name)))
        made.file, made.line = pipeline.file, pipeline.line
    flow_class = type(pipeline.name, (FlowSpec,), members)
    # Where it stands is known by the functions that its steps are: none has to find it again.
    flow_class.__module__ = pipeline.__module__
    flow_class.__qualname__ = ""
    flow_class.__doc__ = pipeline.__doc__
    setattr(flow_class, PIPELINE, pipeline)
    setattr(flow_class, ARGUMENTS, arguments)
    setattr(flow_class, RESEMBLED, resembled)
    return flow_class


def addressed(pipeline: Pipeline) -> str:
    """What stands before a command of the program's, as a shell takes it, so that it is for this pipeline."""
    first = _called[0] if _called else pipeline.name
    return f"{WANTED}={pipeline.name} " if WANTED in os.environ or first != pipeline.name else ""


def pipeline_of(flow_class: Any) -> Pipeline | None:
    """The pipeline that a class stands for, None for a flow of its own."""
    found = vars(flow_class).get(PIPELINE)
    return found if isinstance(found, Pipeline) else None


def given_arguments(flow_class: Any) -> Mapping[str, Any]:
    """What such a pipeline was called with that no option can give."""
    found: Mapping[str, Any] = vars(flow_class).get(ARGUMENTS, {})
    return found


def as_given(flow_class: Any, name: str, value: Any) -> Any:
    """A parameter's value: where it says the same as what the pipeline was called with, that itself.

    As text a tuple is a list, and the keys of a dict are text.
    """
    read, given = vars(flow_class).get(RESEMBLED, {}).get(name, (None, None))
    return given if given is not None and value == read else value


def pipeline_tags(pipeline: Pipeline) -> tuple[str, ...]:
    """The tags that its runs are to have: ``@pipeline(tags=[…])``."""
    tags = pipeline.options.get("tags") or ()
    if isinstance(tags, str) or not all(isinstance(each, str) for each in tags):
        raise _error(pipeline, f"has tags={tags!r}.", 'Write a list of text: tags=["nightly"].')
    return tuple(tags)


def is_command(flow_class: Any, words: Sequence[str]) -> bool:
    """Whether what was typed behind the program is for us, and not for the program that calls the pipeline."""
    from headway.cli.flow_commands import build
    from headway.cli.left_commands import LEFT

    if not words:
        return False
    if list(words) in (["--help"], ["-h"]):
        return True
    group = build(flow_class, {}, set())
    commands = group.commands.keys() - LEFT.keys()
    if words[0] in commands:
        return True
    ours = {name for option in group.params for name in (*option.opts, *option.secondary_opts)}
    return words[0].partition("=")[0] in ours and not commands.isdisjoint(words)


def _run_of(told: Path) -> Any:
    from headway.client.lookup import read_run
    from headway.client.run import Run

    known = json.loads(told.read_text(encoding="utf-8"))
    found = read_run(known["metadata"].partition("@")[2], known["flow_name"], known["run_id"])
    return Run._bound(found, (found.flow, found.run)) if found is not None else None


def _is_text(value: object) -> bool:
    """Whether an option could give this value."""
    if isinstance(value, (list, tuple, dict)):
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            return False
        return True
    return value is None or type(value) in (bool, int, float, str)


def _described(value: Any, annotation: Any) -> dict[str, Any]:
    """The words of a parameter with this default and type."""
    kind = _kind(annotation)
    if value is _ABSENT:
        return {"required": True, "type": kind or str}
    if isinstance(value, (list, tuple, dict)):
        return {"default": json.dumps(value), "type": JSONType}
    if value is None:
        return {"type": kind or str}
    return {"default": value, "type": float if kind is float and type(value) is int else type(value)}


def _kind(annotation: Any) -> Any:
    """The type of option that an annotation stands for, None where it tells none."""
    origin = typing.get_origin(annotation)
    if origin in (list, dict, tuple) or annotation in (list, dict):
        return JSONType
    if origin is not None:
        found = [each for each in typing.get_args(annotation) if each is not type(None)]
        return _kind(found[0]) if len(found) == 1 or origin is typing.Annotated else None
    return annotation if annotation in (str, int, float, bool) else None


def _types(pipeline: Pipeline) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(pipeline.entrypoint)
    except Exception:  # names that only type checkers know
        return {}


def _error(pipeline: Pipeline, what: str, hint: str) -> UsageError:
    return FlowDefinitionError(f"Pipeline '{pipeline.name}' {what}", hint, pipeline.file, pipeline.line)
