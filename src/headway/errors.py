"""Every error a person can meet, as one tree; the type carries what the caller must do.

::

    HeadwayError                    exit 1
    ├── UsageError                  exit 2: what was typed or written must change
    │   ├── FlowDefinitionError         the flow's code: graph, decorators, parameters, self.next
    │   ├── SettingsError               a setting: decorator argument, variable, file, --with
    │   │   └── UnknownUserError            nothing tells who the user is
    │   ├── CommandError                what was typed does not fit the run or the flow
    │   ├── TaggingError                a tag that no run can have, or one too many
    │   └── ClusterConfigurationError   no kubeconfig, unreachable or forbidden cluster, bad namespace
    ├── ApiError                    exit 1: what else the Kubernetes API can answer
    ├── StoreError                  exit 1: the datastore
    │   ├── KeyNotFoundError            no such object
    │   ├── KeyExistsError              a conditional write lost
    │   ├── StoreConfigurationError     exit 2: no bucket, wrong credentials, conditions ignored
    │   └── StoreUnavailableError       retried and still failing: worth trying later
    ├── UnpicklableArtifactError, ArtifactLoadError    exit 1: a value that cannot be stored, or made here
    ├── MergeArtifactsError         exit 1: merge_artifacts was called where or how it cannot be
    ├── NotFoundError               exit 1: a flow, run, step, task or artifact that is not there
    ├── NamespaceMismatchError      exit 1: it is there, and not in the user namespace
    ├── LeaseHeldError, LeaseLostError    exit 1: another launcher drives the run
    ├── TaskFailedError             exit 1: what a failed task left of its exception, for whoever reads it
    ├── FailureHandledByCatchError  exit 1: the step died without an exception, and @catch goes on
    ├── RunFailedError              exit 1: the run ended without success
    │   └── PipelineFailedError         a pipeline that a program called
    └── RunInterruptedError         exit 130: Ctrl-C, SIGTERM, SIGHUP

A message says what happened, to what, the likely cause and what to type next.
This module runs in pods: standard library, Python 3.9.
"""

from headway.plain import Any, Optional, Tuple, Union


class HeadwayError(Exception):
    """The root of everything Headway raises on purpose.

    Args:
        message: What happened and to what, in one or two sentences.
        hint: What to do or type next; printed on a line of its own. Flows written for Metaflow have a line's
            number in this place.
        source_file: The file that it is about, for such flows.
        msg: The message, as they may call it.
        lineno: The line, likewise.
    """

    exit_code = 1
    headline = "Flow failed"

    def __init__(
        self,
        message: str = "",
        hint: Union[str, int, None] = None,
        source_file: Optional[str] = None,
        *,
        msg: str = "",
        lineno: Optional[int] = None,
    ) -> None:
        message = message or msg
        super().__init__(message)
        self.message = message
        self.hint = hint if isinstance(hint, str) else None
        self.line_no = hint if isinstance(hint, int) else lineno
        self.source_file = source_file

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class UsageError(HeadwayError):
    """What was typed or written has to change before anything can run."""

    exit_code = 2
    headline = "This cannot be done"


class FlowDefinitionError(UsageError):
    """The flow's own code is not a valid flow.

    Args:
        message: What is wrong.
        hint: What to change.
        file: The source file, if known.
        line: The line in it, if known.
    """

    headline = "Validity checker found an issue"

    def __init__(
        self,
        message: str = "",
        hint: Optional[str] = None,
        file: Optional[str] = None,
        line: Optional[int] = None,
    ) -> None:
        super().__init__(message, hint, file, lineno=line)
        self.file = file
        self.line = line


class SettingsError(UsageError):
    """A setting has a value that cannot be used.

    Args:
        field: The setting's name as the person wrote it.
        value: The value refused.
        allowed: What would be accepted, in words.
        source: Where the value came from ("@kubernetes on step train", "METAFLOW_KUBERNETES_CPU", …).
        hint: What to do next.
    """

    headline = "A setting cannot be used"

    def __init__(
        self,
        field: str,
        value: object,
        allowed: str,
        source: Optional[str] = None,
        hint: Optional[str] = None,
    ) -> None:
        where = f" ({source})" if source else ""
        super().__init__(f"{field}={value!r}{where} is not possible: {allowed}", hint)
        self.field = field
        self.value = value
        self.allowed = allowed
        self.source = source


class UnknownUserError(SettingsError):
    """Nothing tells who the user is."""


class CommandError(UsageError):
    """What was typed does not fit the run or the flow that it is about."""

    headline = "Invalid command"


class TaggingError(UsageError):
    """A tag that no run can have, one too many, or one that is not a person's to change."""

    headline = "Tagging error"


class ClusterConfigurationError(UsageError):
    """The cluster cannot be used as configured: kubeconfig, address, credentials, permissions."""

    headline = "Kubernetes error"


class StoreError(HeadwayError):
    """The datastore refused or failed.

    Attributes:
        status: The HTTP status of the answer that says so, 0 where there was none.
        code: The server's word for it ("AccessDenied"), "" where there was none.
    """

    headline = "Datastore"
    status = 0
    code = ""


class KeyNotFoundError(StoreError):
    """There is no object under this key."""

    headline = "Data missing"


class KeyExistsError(StoreError):
    """A conditional write found another object in place: somebody else was first."""


class StoreConfigurationError(StoreError):
    """The datastore cannot work as configured: no such bucket, wrong credentials, conditions ignored."""

    exit_code = 2


class StoreUnavailableError(StoreError):
    """The datastore still failed after every retry; trying later may help."""


class NotFoundError(HeadwayError):
    """A flow, run, step, task or artifact that does not exist."""

    headline = "Object not found"


class TaskFailedError(HeadwayError):
    """What a failed task left of its exception; it can be printed, compared by its parts, or raised.

    ``Task.exception`` of a run that is read back, and the artifact that ``@catch(var=…)`` stores. It stands
    here, and not where either is made, because what is stored names its place.

    Attributes:
        message: What happened, in one or two sentences.
        type: The qualified name of the exception that the step raised, "" where none was.
        stacktrace: Its traceback as text, "" where there is none.
        reason: One word for machines: "Exception", "Timeout", "OutOfMemory", …
        kind: user, resources, infrastructure or configuration.
    """

    headline = "Task failed"

    def __init__(
        self,
        message: str,
        hint: str = "",
        type: str = "",  # noqa: A002 - the name that readers of a failed task look for
        stacktrace: str = "",
        reason: str = "",
        kind: str = "",
    ) -> None:
        super().__init__(message, hint or None)
        # With its module, as Metaflow has it; records leave out the module that everybody knows.
        self.type = f"builtins.{type}" if type and "." not in type else type
        self.stacktrace = stacktrace
        self.reason = reason
        self.kind = kind

    @property
    def exception(self) -> str:
        """What the exception said, without its type; of a task that raised none, what happened."""
        prefix = f"{self.type.replace('builtins.', '')}: "
        return self.message.removeprefix(prefix)

    def __reduce__(self) -> Tuple[Any, ...]:
        parts = (self.message, self.hint or "", self.type, self.stacktrace, self.reason, self.kind)
        return (TaskFailedError, parts)

    def __str__(self) -> str:
        # The last line of a traceback says what the message says.
        told = self.stacktrace.rstrip() or self.message
        # An error of ours ends in its hint, there and here.
        return told if self.hint is None or told.endswith(self.hint) else f"{told}\n{self.hint}"


class FailureHandledByCatchError(HeadwayError):
    """The step failed for good and left no exception of its own; ``@catch`` goes on in its place.

    Args:
        message: How its last attempt ended.
        hint: What to do about it.
        reason: That failure's word for machines ("OutOfMemory", "Exit", …).
        kind: Its class.
        left: Of a gang: what the rank that failed first left of its exception.
    """

    headline = "The step failed, and @catch handled it"

    def __init__(
        self,
        message: str = "",
        hint: Optional[str] = None,
        reason: str = "",
        kind: str = "",
        left: Optional[TaskFailedError] = None,
    ) -> None:
        super().__init__(message, hint)
        self.reason = reason
        self.kind = kind
        self.left = left


class RunFailedError(HeadwayError):
    """The run ended without success."""

    headline = "Step failure"


class PipelineFailedError(RunFailedError, SystemExit):
    """A pipeline that a program called has failed; its run has told why.

    ``except Exception`` catches it. Uncaught, it ends the program with exit code 1 and without a traceback.

    Attributes:
        run: The :class:`headway.Run`.
    """

    def __init__(self, message: str, run: Any = None) -> None:
        super().__init__(message)
        self.code = 1
        self.run = run


class RunInterruptedError(HeadwayError):
    """The run was interrupted from outside."""

    exit_code = 130
    headline = "Run interrupted"
