"""What is to be done, as small JSON objects: the attempts that start together, and how their code is started."""

import json
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

from headway.store.records import AttemptRef, FrameTuple, encode, frame_from_json, known

if TYPE_CHECKING:
    from headway.call import Call


class Packages(NamedTuple):
    """Packages that a step's code finds installed besides what its machine or image has (``@pypi``).

    Attributes:
        sha256: Names the list of their parts in the datastore, "" on this machine.
        python: The version of Python that they are for: "3.11".
        machine: What they are built for: "x86_64", "aarch64"; "" where nothing of them is built for any.
        libc: Likewise: "glibc", "musl", "".
        folder: The folder that holds them here; "" until a pod has unpacked them.
    """

    sha256: str
    python: str
    machine: str = ""
    libc: str = ""
    folder: str = ""


class Code(NamedTuple):
    """How the flow's code is started again elsewhere, the way the person started it here.

    Attributes:
        kind: "path" (``python flow.py``), "module" (``python -m pkg.flow``) or "source" (``python -c``).
        main: The path relative to the bundle's root, the dotted module, or the name of the source file.
        cls: The flow class, as (module name, qualified name); the module is ``__main__`` where it stands there.
        bundle: sha256 of the bundle in the datastore, "" where code is not shipped (local steps).
        root: The folder that holds the code here; local steps run from it. "" in a pod.
        paths: Further import folders, relative to the bundle's root.
        packages: What the step's code finds installed besides, None without ``@pypi``.
    """

    kind: str
    main: str
    cls: Tuple[str, str]
    bundle: str = ""
    root: str = ""
    paths: Tuple[str, ...] = ()
    packages: Optional[Packages] = None

    @classmethod
    def from_json(cls, raw: List[Any]) -> "Code":
        """The code from the array that it becomes in JSON; what a newer version added to it is ignored."""
        kind, main, flow_class, *rest = raw[: len(cls._fields)]
        rest[2:3] = [tuple(paths) for paths in rest[2:3]]
        rest[3:4] = [None if packages is None else Packages(*packages) for packages in rest[3:4]]
        return cls(kind, main, (flow_class[0], flow_class[1]), *rest)


class TaskSpec(NamedTuple):
    """One task of a batch.

    Attributes:
        task: Its id.
        attempt: The attempt to make.
        index: Its place in the innermost foreach or branch.
        last: Whether a failure of its own code is final; said of steps with ``@catch`` only.
    """

    task: str
    attempt: int
    index: int = 0  # type: ignore[assignment]  # a tuple has a method of this name; nobody calls it here
    last: bool = False


class Catch(NamedTuple):
    """What ``@catch`` of a step says.

    Attributes:
        targets: The steps that follow where the step itself cannot say so.
        var: The artifact that takes the exception, None for none.
        print_exception: Whether its traceback is printed.
    """

    targets: Tuple[str, ...] = ()
    var: Optional[str] = None
    print_exception: bool = True


class Gang(NamedTuple):
    """How the ranks of a gang find each other.

    Attributes:
        port: Where rank 0 may listen for the others.
        patience: Seconds within which all ranks must be there, once one of them holds a node.
        address: Rank 0's IP address, "" until it is known.
    """

    port: int
    patience: float = 600.0
    address: str = ""


class Secrets(NamedTuple):
    """What ``@secrets`` of a step says; names of secrets, never what they hold (inline ones excepted).

    Attributes:
        sources: As written.
        role: The role to read them with.
        allow_override: Whether they may replace variables that are set.
        settings: What is configured about secrets, by name without prefix.
    """

    sources: Tuple[Any, ...]
    role: Optional[str] = None
    allow_override: bool = False
    settings: Dict[str, str] = {}


class Project(NamedTuple):
    """The project that a run belongs to (``@project``).

    Attributes:
        name: The project.
        branch: ``user.ann``, ``test.b``, ``prod`` or ``prod.b``.
        flow: Project, branch and flow: "fraud.user.ann.TrainFlow".
        user_branch: Whether the branch is a user's own, since none was named.
        production: Whether it is a production branch.
    """

    name: str
    branch: str
    flow: str
    user_branch: bool = True
    production: bool = False

    def told(self) -> Dict[str, Any]:
        """What ``current`` says of it, by name."""
        return {
            "project_name": self.name,
            "branch_name": self.branch,
            "project_flow_name": self.flow,
            "is_user_branch": self.user_branch,
            "is_production": self.production,
        }


class Spun(NamedTuple):
    """That a task is one of an earlier run, done again alone by ``spin``.

    Attributes:
        root: The datastore of that run: what the task reads is there.
        run: Its id.
        task: The task there.
        attempt: Which attempt of it.
        persist: Whether what it makes is kept.
        artifacts: The Python file with values that take the place of what it would read, "" for none.
    """

    root: str
    run: str
    task: str
    attempt: int = 0
    persist: bool = False
    artifacts: str = ""


class Wrapping(NamedTuple):
    """Decorators of the flow's own that run with a step.

    Attributes:
        decorators: The outermost first: (which of the notes on the step, or -1; the class; its arguments).
        next: What the step's own ``self.next`` says, for decorators that skip the step.
    """

    decorators: Tuple[Tuple[int, str, str], ...] = ()
    next: Dict[str, Any] = {}


class Batch(NamedTuple):
    """Attempts of one step started together: what a pod (by its index) or a local child is to do.

    Attributes:
        flow: The flow's name.
        run: The run's id.
        step: The step all attempts belong to.
        name: Unique within the run; names the stored object and the Job.
        code: How to start the flow's code.
        tasks: The attempts, by index.
        frames: The fan-out of these tasks, outermost first; the last frame's index is taken from the task.
        inputs: The winning attempts that lead here: one, or for a join all of them in split order.
        join: Whether the step takes ``inputs``.
        timeout: Seconds the step's code may run, None for no limit.
        env: Environment for the step's code (``@environment``).
        user: Who runs it.
        tags: The run's tags.
        namespace: The user namespace ("user:ann").
        retries: How many retries the user's code has, for ``current`` and for words.
        origin: The run that was resumed, or None.
        grace: Seconds between SIGTERM and SIGKILL.
        orphan_limit: Seconds after the end of the launcher's lease in which a pod may still start.
        log_limit: Bytes of log kept per stream and attempt.
        catch: What is to become of an exception that would be final, None without ``@catch``.
        fallback: These attempts take the place of the step, whose code has failed for good.
        gang: For the ranks of one gang, which are the batch's tasks in order; None where each task is its own.
        wrapping: The flow's own decorators that run with the step, None where it has none.
        parameters: Parameters that the flow's mutators gave it, by attribute, as text; "" for those they took.
        memory: MB of memory instead of what the step's settings say, None for those.
        project: The project of the run, None without ``@project``.
        secrets: What is fetched and set as variables before the step, None without ``@secrets``.
        spun: The task of an earlier run that is done again alone, None for a run's own.
        targets: The steps that its ``self.next`` may lead to; () where nothing is checked.
        triggers: What the run was started by, as text; "" without ``--trigger``.
        leads: How it leads to them: the kind of its node in the graph; "" where nothing is checked.
        call: For a pipeline's call: the function, its arguments and its outputs; None for a method of a class.
    """

    flow: str
    run: str
    step: str
    name: str
    code: Code
    tasks: Tuple[TaskSpec, ...]
    frames: Tuple[FrameTuple, ...] = ()
    inputs: Tuple[AttemptRef, ...] = ()
    join: bool = False
    timeout: Optional[float] = None
    env: Dict[str, str] = {}
    user: str = ""
    tags: Tuple[str, ...] = ()
    namespace: str = ""
    retries: int = 0
    origin: Optional[str] = None
    grace: float = 30.0
    orphan_limit: float = 3600.0
    log_limit: int = 10_000_000
    catch: Optional[Catch] = None
    fallback: bool = False
    gang: Optional[Gang] = None
    memory: Optional[int] = None
    project: Optional[Project] = None
    secrets: Optional[Secrets] = None
    wrapping: Optional[Wrapping] = None
    parameters: Dict[str, str] = {}
    spun: Optional[Spun] = None
    targets: Tuple[str, ...] = ()
    triggers: str = ""
    leads: str = ""
    call: Optional["Call"] = None

    def encode(self) -> bytes:
        return encode(self.to_json())

    def to_json(self) -> Dict[str, Any]:
        """The batch as an object for JSON."""
        raw = self._asdict()
        if self.call is not None:
            raw["call"] = self.call._asdict()
        return raw

    @classmethod
    def decode(cls, data: bytes) -> "Batch":
        return cls.from_json(json.loads(bytes(data).decode()))

    @classmethod
    def from_json(cls, raw: Dict[str, Any]) -> "Batch":
        """The batch from the object that it becomes in JSON, which is used up."""
        raw = known(cls, raw)
        raw["code"] = Code.from_json(raw["code"])
        raw["tasks"] = tuple(TaskSpec(*task) for task in raw["tasks"])
        raw["frames"] = tuple(frame_from_json(frame) for frame in raw.get("frames", ()))
        raw["inputs"] = tuple(AttemptRef(*ref) for ref in raw.get("inputs", ()))
        raw["tags"] = tuple(raw.get("tags", ()))
        raw["targets"] = tuple(raw.get("targets", ()))
        if raw.get("call"):
            from headway.call import Call  # for tasks of pipelines

            raw["call"] = Call.from_json(raw["call"])
        if raw.get("catch"):
            targets, *rest = raw["catch"]
            raw["catch"] = Catch(tuple(targets), *rest)
        if raw.get("gang"):
            raw["gang"] = Gang(*raw["gang"])
        if raw.get("project"):
            raw["project"] = Project(*raw["project"])
        if raw.get("secrets"):
            sources, *others = raw["secrets"]
            raw["secrets"] = Secrets(tuple(sources), *others)
        if raw.get("spun"):
            raw["spun"] = Spun(*raw["spun"])
        if raw.get("wrapping"):
            told, *rest = raw["wrapping"]
            raw["wrapping"] = Wrapping(tuple((each[0], each[1], each[2]) for each in told), *rest)
        return cls(**raw)

    def of(self, task: TaskSpec) -> "Batch":
        """The batch with this task alone."""
        return self._replace(tasks=(task,))

    def frames_of(self, task: TaskSpec) -> Tuple[FrameTuple, ...]:
        """The fan-out of one of the tasks: the batch's frames with the task's own index in the last."""
        if not self.frames:
            return ()
        split, parent, _, count, variable = self.frames[-1]
        return (*self.frames[:-1], (split, parent, task.index, count, variable))
