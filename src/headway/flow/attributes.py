"""The attributes of the decorators that are not a pod's settings, and the values each takes."""

from headway.plain import Any, Callable, Mapping, NamedTuple, Optional

#: The most retries that a step can have.
MAX_RETRIES = 4
#: How often its memory can grow.
MAX_GROWTHS = 8


class Attribute(NamedTuple):
    """One attribute of a decorator.

    Attributes:
        name: Its name.
        default: What holds where it is not written.
        doc: What it means, in one sentence.
        parse: Takes what was written; raises ValueError with what is allowed, in words.
        aliases: Other names for it.
    """

    name: str
    default: Any
    doc: str
    parse: Callable[[object], object]
    aliases: tuple[str, ...] = ()

    def refusal(self, value: object) -> Optional[ValueError]:
        """What is allowed instead of this value, None if it is allowed; a value of None always is."""
        if value is None:
            return None
        try:
            self.parse(value)
        except ValueError as error:
            return error
        return None


def anything(value: object) -> object:
    """Every value is allowed."""
    return value


def _is_real(value: Any) -> bool:
    if isinstance(value, (int, float)):
        return True
    from numbers import Real  # for the numbers of libraries

    return isinstance(value, Real)


def _number(minimum: float, unit: str = "a number") -> Callable[[object], object]:
    def parse(value: object) -> object:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                value = None
        # NaN compares false with everything.
        if isinstance(value, bool) or not _is_real(value) or not float(str(value)) >= minimum:
            raise ValueError(f"{unit} of at least {minimum:g} is allowed")
        return value

    return parse


def _whole(minimum: int) -> Callable[[object], object]:
    def parse(value: object) -> object:
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        elif isinstance(value, float) and value.is_integer():
            # 1.0, as --with and configurations may have it.
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ValueError(f"a whole number of at least {minimum} is allowed")
        return value

    return parse


def whole_number(value: object) -> int:
    """The number that an attribute stands for where it takes a whole one: as such, as 2.0 or as text."""
    return int(float(str(value)))


def _times(value: object) -> object:
    number = _whole(0)(value)
    if whole_number(number) > MAX_RETRIES:
        raise ValueError(f"the maximum number of retries is @retry(times={MAX_RETRIES})")
    return number


def text(value: object) -> object:
    """Text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("text is allowed")
    return value


def _identifier(value: object) -> object:
    if not isinstance(value, str) or not value.isidentifier() or value.startswith("__"):
        raise ValueError("the name of an artifact is allowed, as text")
    return value


def flag(value: object) -> object:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError("True or False is allowed")
    return value


def _growth(value: object) -> object:
    """How memory grows after an attempt ran out of it: a factor, or a dict of factor, times and max_memory."""
    parts: Mapping[str, object] = value if isinstance(value, Mapping) else {"factor": value}
    unknown = [name for name in parts if name not in ("factor", "times", "max_memory")]
    if unknown:
        raise ValueError(f"a dict of factor, times and max_memory is allowed, without {unknown[0]!r}")
    try:
        factor = float(str(_number(1, "a factor")(parts.get("factor", 2))))
    except ValueError as error:
        raise ValueError(
            "a factor above 1 is allowed, or a dict of factor, times and max_memory (MB)"
        ) from error
    if not 1 < factor <= 100:
        raise ValueError("a factor above 1, and of at most 100, is allowed")
    if whole_number(_whole(1)(parts.get("times", 1))) > MAX_GROWTHS:
        raise ValueError(f"times of at most {MAX_GROWTHS} is allowed")
    if parts.get("max_memory") is not None:
        _whole(1)(parts["max_memory"])
    return value


def _variables(value: object) -> object:
    if not isinstance(value, Mapping):
        raise ValueError('a dict from variable to value is allowed: vars={"NAME": "value"}')
    for name in value:
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            raise ValueError(f"{name!r} is not the name of a variable")
    return value


def _sources(value: object) -> object:
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, Mapping)) for item in value):
        return value
    raise ValueError('a list of secrets is allowed: sources=["aws-secrets-manager.name"]')


_PACKAGE = r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9._, -]+\])?(?: *@ *\S+)?"
_VERSION = r"[A-Za-z0-9.*+!_<>=~, -]*"


def _matches(pattern: str, text: str) -> bool:
    import re  # for flows that name packages

    return re.fullmatch(pattern, text) is not None


def _packages(value: object) -> object:
    """Packages and their versions, such that none can be taken for an option of the program that resolves them."""
    if not isinstance(value, Mapping):
        raise ValueError('a dict from package to version is allowed: packages={"numpy": "1.26.4"}')
    for name, version in value.items():
        if not isinstance(name, str) or not _matches(_PACKAGE, name):
            raise ValueError(f"{name!r} is not the name of a package")
        if not isinstance(version, str) or not _matches(_VERSION, version):
            raise ValueError(f'the version of {name} has to be text such as "1.26.4", ">=1.26,<2" or ""')
    return value


def _python(value: object) -> object:
    # A number would turn 3.10 into 3.1.
    if not isinstance(value, str) or not _matches(_VERSION, value) or not value:
        raise ValueError("a version of Python as text is allowed, such as '3.11'")
    return value


def check_timeout(attributes: Mapping[str, Any]) -> str:
    """What is wrong with the parts of a @timeout together."""
    if not any(float(attributes.get(part) or 0) for part in ("seconds", "minutes", "hours")):
        return "Specify a duration, for example @timeout(minutes=10)."
    return ""


# fmt: off
RETRY = (
    Attribute("times", 3, "How often the step is tried again.", _times),
    Attribute("minutes_between_retries", None,
              "Minutes to wait before, where the step is a pod (2 by default) or a pipeline's; else it does not wait.",
              _number(0, "a number of minutes")),
    Attribute("on_oom", None, "After memory ran out, try again with so many times the memory; a retry of its own kind.",
              _growth),
)
TIMEOUT = (
    Attribute("seconds", 0, "Seconds, added to minutes and hours.", _number(0, "a number of seconds")),
    Attribute("minutes", 0, "Minutes.", _number(0, "a number of minutes")),
    Attribute("hours", 0, "Hours.", _number(0, "a number of hours")),
)
ENVIRONMENT = (Attribute("vars", {}, "The variables.", _variables),)
PARALLEL = (
    Attribute("num_nodes", None, "On how many nodes, where self.next does not say it.", _whole(1)),
)
PYTORCH_PARALLEL = (
    *PARALLEL,
    Attribute("master_port", None, "Where rank 0 listens for the others; None lets us choose.", _whole(1)),
)
CATCH = (
    Attribute("var", None, "The artifact for the exception; None where the step succeeded.", _identifier),
    Attribute("print_exception", True, "Whether the exception is printed.", flag),
)
SECRETS = (
    Attribute("sources", [], "Which secrets: names, or dicts with type, id, options and role.", _sources),
    Attribute("role", None, "The role to read them with.", text),
    Attribute("allow_override", False, "Whether they may replace variables that are set.", flag),
)
CARD = tuple(
    Attribute(name, default, "Of the card.", anything)
    for name, default in (
        ("type", "default"), ("id", None), ("options", {}), ("scope", "task"), ("rank", None), ("timeout", 45),
        ("save_errors", True), ("customize", False), ("refresh_interval", 5),
    )
)
PYPI = (
    Attribute("packages", {}, 'Packages and their versions; "" for any.', _packages),
    Attribute("python", None, "The version of Python that runs the step; by default the image's, as far as it is known.",
              _python),
    Attribute("disabled", None, "Whether it is left out.", flag),
)
CONDA = (
    Attribute("packages", {}, "Packages and their versions.", anything),
    Attribute("libraries", {}, "An older name of packages.", anything),
    Attribute("python", None, "The version of Python.", anything),
    Attribute("disabled", None, "Whether it is left out.", flag),
)
BATCH = tuple(
    Attribute(name, default, doc, anything)
    for name, default, doc in (
        ("cpu", 1, "CPUs."), ("gpu", 0, "GPUs."),
        ("memory", 4096, "Memory in MB."),
        ("image", None, "The image."), ("queue", None, "The job queue."),
        ("iam_role", None, "The task's role."), ("execution_role", None, "The role that starts it."),
        ("shared_memory", None, "Size of /dev/shm in MiB."), ("max_swap", None, "Swap in MiB."),
        ("swappiness", None, "Swappiness, 0 to 100."), ("inferentia", None, "Inferentia chips."),
        ("trainium", None, "Trainium chips."), ("efa", None, "Elastic fabric adapters."),
        ("host_volumes", None, "Folders of the host."), ("efs_volumes", None, "EFS volumes to mount."),
        ("use_tmpfs", False, "Mount a file system in memory."), ("aws_batch_tags", None, "Tags of the job."),
        ("tmpfs_tempdir", True, "Temporary files go there."), ("tmpfs_size", None, "Its size in MiB."),
        ("tmpfs_path", "/metaflow_temp", "Where it is mounted."),
        ("ephemeral_storage", None, "Disk in GiB."), ("log_driver", None, "The log driver."),
        ("log_options", None, "Its options."), ("executable", None, "The Python to run with."),
        ("privileged", False, "All rights on the host."),
    )
)
# fmt: on
