"""How each step's code is to run, from the run's outset: of a run, and of one that is only shown."""

from collections.abc import Mapping

from headway.launch.batches import BatchFactory, StepRun
from headway.launch.outset import Outset
from headway.store.batch import Code, Packages
from headway.store.run_records import TRIGGERS, RunRecord

#: Seconds between SIGTERM and SIGKILL for local steps.
_LOCAL_GRACE = 30.0


def batch_factory(
    outset: Outset, record: RunRecord, code: Code, packages: Mapping[str, Packages], local_code: Code
) -> BatchFactory:
    """What makes the run's batches.

    Args:
        outset: The run as it is meant to be.
        record: The run.
        code: How its code is started in pods.
        packages: What ``@pypi`` of its steps brings, by step.
        local_code: How its code is started here.
    """
    steps = {
        name: StepRun(
            code=(local_code if step.kubernetes is None else code)._replace(packages=packages.get(name)),
            timeout=step.timeout,
            env=step.env,
            retries=step.retries,
            gang=step.gang,
            grace=float(step.kubernetes.termination_grace_period_seconds)
            if step.kubernetes
            else _LOCAL_GRACE,
            catch=step.catch,
            secrets=step.secrets,
            wrapping=step.wrapping,
            memory_steps=step.memory_steps,
            targets=() if outset.request.graph.is_pipeline else outset.request.graph[name].targets,
            leads=outset.request.graph[name].kind,
            call=outset.request.graph[name].call,
        )
        for name, step in outset.steps.items()
    }
    return BatchFactory(
        record.flow,
        record.run,
        outset.user,
        outset.namespace,
        record.tags,
        steps,
        log_limit=outset.request.max_log_size * 1_000_000,
        fallback_code=local_code,
        parameters=outset.request.parameter_changes,
        origin=record.origin,
        project=outset.project,
        triggers=record.metadata.get(TRIGGERS, ""),
    )
