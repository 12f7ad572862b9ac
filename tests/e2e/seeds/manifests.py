"""The Jobs that a flow's steps become, without any cluster: what the golden files of the seeds hold."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from headway.config.sources import Configuration
from headway.executors.kubernetes.gangs import gang_service
from headway.executors.kubernetes.manifest import PodPlan, job_manifest
from headway.flow import entry
from headway.flow.decorators import DecoratorSpec
from headway.flow.graph import Graph
from headway.flow.late import parse_with
from headway.flow.parse import parse_flow
from headway.flow.pipeline import Pipeline
from headway.flow.spec import FlowSpec
from headway.flow.trace import trace
from headway.launch.steps import PlannedStep, plan_steps
from headway.store.batch import Batch, Code, TaskSpec

#: The default image is that of the launcher's own Python; a golden file needs a fixed one.
_IMAGE = {"METAFLOW_KUBERNETES_CONTAINER_IMAGE": "python:3.11"}

#: Every gang of the documents has four nodes.
_RANKS = tuple(TaskSpec(f"1-worker-{rank - 1}" if rank else "1", 0, rank) for rank in range(4))
_UID = "00000000-0000-0000-0000-000000000000"


def manifests_of(
    program: str, folder: Path, environment: Mapping[str, str] | None = None, late: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The Job of every step of a flow that runs as a pod, in the order of the steps; a gang's with its Service.

    Args:
        program: The flow file's text.
        folder: Where to put it; empty.
        environment: Variables that are set when it is started.
        late: What stands behind ``--with``.
    """
    file = folder / "flow.py"
    file.write_text(program)
    environ = {"HOME": str(folder), **_IMAGE, **(environment or {})}
    with _imported(file) as flow:
        graph = _graph(flow, [parse_with(text) for text in late])
        steps = plan_steps(graph, Configuration.load(environ, folder))
    remote = [step for step in steps.values() if step.kubernetes is not None]
    return [manifest for step in remote for manifest in _manifests(flow.__name__, step)]


@contextmanager
def _imported(file: Path) -> Iterator[Any]:
    """The flow class, or the pipeline, of a file, whose command line stays asleep."""
    module = ModuleType("seed_flow")
    module.__file__ = str(file)
    entry.disable()
    sys.modules[module.__name__] = module
    try:
        exec(compile(file.read_text(), str(file), "exec", dont_inherit=True), module.__dict__)
        own = [
            value
            for value in vars(module).values()
            if isinstance(value, Pipeline)
            or (isinstance(value, type) and issubclass(value, FlowSpec) and value is not FlowSpec)
        ]
        (flow,) = own
        yield flow
    finally:
        del sys.modules[module.__name__]
        entry.enable()


def _graph(flow: Any, late: Sequence[DecoratorSpec]) -> Graph:
    if isinstance(flow, Pipeline):
        return trace(flow, {}).graph_with(late)
    return parse_flow(flow).with_decorators(late)


def _manifests(flow: str, step: PlannedStep) -> list[dict[str, Any]]:
    assert step.kubernetes is not None
    batch = Batch(
        flow=flow,
        run="1732200000000000",
        step=step.name,
        name="b1",
        user="ann",
        code=Code("path", "flow.py", ("__main__", flow)),
        tasks=(TaskSpec("1", 0, 0),) if step.gang is None else _RANKS,
        gang=step.gang,
        timeout=step.timeout,
    )
    plan = PodPlan(
        runtime_config_map="headway-runtime-0123456789abcdef",
        datastore="s3://bucket/headway",
        batch_key=f"v1/{flow}/run/{batch.run}/batch/{batch.name}.json",
        env={"AWS_REGION": "eu-central-1"},
    )
    job = job_manifest(step.kubernetes, batch, plan)
    return [job] if step.gang is None else [job, gang_service(step.kubernetes, batch, step.gang, _UID)]
