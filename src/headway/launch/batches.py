"""Turns what the scheduler asks for into batches that an executor can start."""

from collections.abc import Mapping

from msgspec import Struct, field

from headway.call import Call
from headway.schedule.instructions import StartBatch
from headway.store.batch import Batch, Catch, Code, Gang, Project, Secrets, Wrapping


class StepRun(Struct, frozen=True):
    """How one step's code is to run, wherever it runs.

    Attributes:
        timeout: Seconds, None for no limit.
        env: ``@environment`` values.
        retries: How many retries the user's code has.
        grace: Seconds between SIGTERM and SIGKILL.
        code: How the flow's code is started there.
        catch: What ``@catch`` says.
        secrets: What ``@secrets`` says.
        memory_steps: MB of memory after it ran out once, twice, …
        wrapping: The flow's own decorators that run with it.
        gang: How the ranks of a gang find each other, None where the step is none.
        targets: The steps that it may lead to.
        leads: How it leads to them: the kind of its node.
        call: For a pipeline's call: the function, its arguments and its outputs.
    """

    code: Code
    timeout: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    retries: int = 0
    grace: float = 30.0
    catch: Catch | None = None
    secrets: Secrets | None = None
    memory_steps: tuple[int, ...] = ()
    gang: Gang | None = None
    wrapping: Wrapping | None = None
    targets: tuple[str, ...] = ()
    leads: str = ""
    call: Call | None = None


class BatchFactory(Struct, frozen=True):
    """Makes batches of one run.

    Attributes:
        flow: The flow's name.
        run: The run's id.
        user: Who runs it.
        namespace: The user namespace.
        tags: The run's tags.
        steps: By step.
        orphan_limit: Seconds after the end of the launcher's lease in which a pod may still start.
        log_limit: Bytes of log kept per stream and attempt.
        parameters: Parameters that the flow's mutators gave it or took, for :class:`Batch`.
        fallback_code: How the flow's code is started for fallbacks, which all run on this machine.
        origin: The run that this one resumes, or None.
        project: The run's project.
        triggers: What the run was started by, as text.
    """

    flow: str
    run: str
    user: str
    namespace: str
    tags: tuple[str, ...]
    steps: Mapping[str, StepRun]
    orphan_limit: float = 3600.0
    log_limit: int = 10_000_000
    fallback_code: Code | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None
    project: Project | None = None
    triggers: str = ""

    def make(self, start: StartBatch) -> Batch:
        """The batch for one instruction of the scheduler."""
        step = self.steps[start.step]
        if start.fallback:
            # Nothing of the step runs, so nothing that is for its code is needed.
            code = self.fallback_code or step.code
            step = StepRun(code, catch=step.catch, gang=step.gang, call=step.call)
        return Batch(
            flow=self.flow,
            run=self.run,
            step=start.step,
            name=start.name,
            code=step.code,
            tasks=start.tasks,
            frames=start.frames,
            inputs=start.inputs,
            join=start.join,
            timeout=step.timeout,
            env=dict(step.env),
            user=self.user,
            tags=self.tags,
            namespace=self.namespace,
            retries=step.retries,
            grace=step.grace,
            orphan_limit=self.orphan_limit,
            log_limit=self.log_limit,
            catch=step.catch,
            fallback=start.fallback,
            gang=step.gang if start.gang else None,
            wrapping=step.wrapping,
            parameters=dict(self.parameters),
            origin=self.origin,
            memory=step.memory_steps[start.grown - 1] if start.grown and not start.fallback else None,
            project=self.project,
            secrets=step.secrets,
            targets=step.targets,
            triggers=self.triggers,
            leads=step.leads,
            call=step.call,
        )
