#!/usr/bin/env python3
"""Set up, check and try this repository from a bare machine: no make, no root, only Python 3.10 or later.

The environment is the folder ``.venv``, made with uv where that is installed and with venv and pip
elsewhere, both from the same locked versions in ``requirements/``. Setting up again costs nothing
until one of those files changes, so every command begins with it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "dev-stamp.json"
NEEDED = (3, 10)
EXAMPLE = "examples/digits.py"
#: pytest's exit code when it found no test at all.
NO_TESTS = 5


class Stop(Exception):  # noqa: N818 - it carries an exit code to the end of the program, not a defect
    """End the program with this exit code, after its words on standard error."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


class Stage(NamedTuple):
    """One stage of the check: its name and its command, run inside the environment."""

    name: str
    command: list[str]


# --- the environment -------------------------------------------------------------------------


def setup(*groups: str) -> None:
    """Make ``.venv`` hold the dev group and these further ones; at once where it already does."""
    found = read_stamp()
    wanted = {group: digest(lock_file(group)) for group in ("dev", *groups)}
    wanted["project"] = digest(ROOT / "pyproject.toml")
    if all(found.get(name) == value for name, value in wanted.items()):
        return
    started = time.monotonic()
    install = Uv() if usable_uv() else Pip()
    say(f"setting up .venv with {install.name} (Python {sys.version_info[0]}.{sys.version_info[1]})")
    if not works(PYTHON):
        shutil.rmtree(VENV, ignore_errors=True)
        found = {}
        install.create()
    STAMP.unlink(missing_ok=True)  # an interrupted installation must not look finished
    for name, value in wanted.items():
        if found.get(name) == value:
            continue
        # Every version is in the lock, so nothing is resolved: quick with pip, and the same everywhere.
        install.packages(
            ["--no-build-isolation", "-e", str(ROOT)]
            if name == "project"
            else ["--require-hashes", "-r", str(lock_file(name))]
        )
    STAMP.write_text(json.dumps({**found, **wanted}, indent=1))
    say(f"set up in {time.monotonic() - started:.0f} s")


class Uv:
    """Installs with uv."""

    name = "uv"

    def create(self) -> None:
        run_or_stop(["uv", "venv", "--quiet", "--no-project", "--python", base_python(), str(VENV)])

    def packages(self, what: list[str]) -> None:
        run_or_stop(["uv", "pip", "install", "--quiet", "--python", str(PYTHON), "--no-deps", *what])


class Pip:
    """Installs with pip: the environment's own, or the base interpreter's where Debian cut ensurepip off."""

    name = "pip"

    def create(self) -> None:
        if importlib.util.find_spec("venv") is None:
            raise Stop(no_installer())
        if not bundled_pip() and not outer_pip():
            raise Stop(no_installer())
        options = [] if bundled_pip() else ["--without-pip"]
        run_or_stop([base_python(), "-m", "venv", *options, str(VENV)])

    def packages(self, what: list[str]) -> None:
        if quiet([str(PYTHON), "-m", "pip", "--version"]):
            pip = [str(PYTHON), "-m", "pip"]
        elif outer_pip():
            pip = [base_python(), "-m", "pip", "--python", str(PYTHON)]
        else:
            raise Stop(no_installer())
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
        run_or_stop([*pip, "install", *options, *what], env=environment())


def usable_uv() -> bool:
    if os.environ.get("HEADWAY_DEV_INSTALLER") == "pip":
        return False
    # A version manager's shim can be on the PATH without a uv behind it, so it is asked.
    return bool(shutil.which("uv")) and quiet(["uv", "--version"])


def bundled_pip() -> bool:
    return quiet([base_python(), "-c", "import ensurepip"])


def outer_pip() -> bool:
    """Whether the base interpreter's pip can install into another environment (22.3 and later)."""
    return quiet([base_python(), "-m", "pip", "--python", base_python(), "--version"])


def no_installer() -> str:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return (
        f"This Python ({base_python()}) comes without ensurepip and pip, so no environment can be made.\n"
        f"Install one of: python{version}-venv (Debian, Ubuntu), python3-pip, or uv (https://docs.astral.sh/uv)."
    )


def base_python() -> str:
    """The interpreter under any environment this one runs in: ``.venv`` must not be made from itself."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def works(python: Path) -> bool:
    return quiet([str(python), "-c", f"import sys; sys.exit(sys.version_info < {NEEDED})"])


def lock_file(group: str) -> Path:
    return ROOT / "requirements" / f"{group}.txt"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_stamp() -> dict[str, str]:
    """What ``.venv`` was set up with; empty where it does not work or was never finished."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and works(PYTHON) else {}


def environment() -> dict[str, str]:
    """The variables of an activated ``.venv``."""
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
    env["VIRTUAL_ENV"] = str(VENV)
    env["PATH"] = f"{PYTHON.parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return env


# --- commands --------------------------------------------------------------------------------


def check(skip: list[str], verbose: bool) -> None:
    """Every stage of the gate, one line each; stops at the first that fails, with what it said."""
    setup()
    # Emulators of object stores that this machine could have are installed once; a plain test leaves it as it is.
    os.environ.setdefault("HEADWAY_TEST_FETCH", "1")
    started = time.monotonic()
    notes: list[str] = []
    for stage in stages():
        if stage.name in skip:
            continue
        notes += run_stage(stage, verbose)
    for note in notes:
        print(f"  {note}")
    left_out = f", without: {', '.join(skip)}" if skip else ""
    print(f"all good in {time.monotonic() - started:.0f} s{left_out}")


def stages() -> list[Stage]:
    return [
        Stage("format", ["ruff", "format", "--check", "--output-format", "concise", "."]),
        Stage("lint", ["ruff", "check", "."]),
        Stage("types", ["mypy"]),
        Stage("imports", ["lint-imports", "--no-logo", "--no-cache"]),
        Stage("unit", pytest("tests/unit", "--ignore=tests/unit/test_docs.py")),
        Stage("integration", pytest("tests/integration")),
        Stage("docs", pytest("tests/unit/test_docs.py")),
    ]


def run_stage(stage: Stage, verbose: bool) -> list[str]:
    """Run one stage and print its line.

    Returns:
        What it skipped and why, in pytest's words.

    Raises:
        Stop: It failed.
    """
    print(f"{stage.name:<12}", end="\n" if verbose else " ", flush=True)
    started = time.monotonic()
    code, output = run_captured(stage.command, echo=verbose)
    seconds = time.monotonic() - started
    lines = output.splitlines()
    closing = next((line.strip("= ") for line in reversed(lines) if line.startswith("=")), "")
    if code == NO_TESTS and stage.name == "integration":
        code, closing = 0, "no tests"
    verdict = "ok    " if code == 0 else "FAILED"
    print(f"{stage.name + '  ' if verbose else ''}{verdict} {seconds:6.1f} s  {closing}".rstrip(), flush=True)
    if code:
        if not verbose:
            print(output, end="")
        raise Stop(f"{stage.name} failed: {' '.join(stage.command)}")
    return [line for line in lines if line.startswith("SKIPPED")]


def test(arguments: list[str]) -> NoReturn:
    """Unit tests, and the integration tests for which the environment names servers."""
    setup()
    suites = ["tests/unit", "tests/integration"]
    if arguments or os.cpu_count() == 1:
        replace_process(pytest(*instead_of(suites, arguments)))
    # One computes, the other waits for processes and clusters most of the time.
    codes = run_side_by_side([pytest(suite, *cached(Path(suite).name)) for suite in suites])
    raise SystemExit(max(codes))


def cached(name: str) -> list[str]:
    """What gives a session of pytest a cache of its own, since others run beside it."""
    return ["-o", f"cache_dir=.pytest_cache/{name}"]


def instead_of(suites: list[str], arguments: list[str]) -> list[str]:
    """What pytest is told: these suites, unless the arguments have paths of their own."""
    own = any(Path(argument.split("::")[0]).exists() for argument in arguments)
    return [*([] if own else suites), *arguments]


def e2e(arguments: list[str]) -> NoReturn:
    """The end-to-end suite, on the embedded cluster and on the one that the environment names, side by side."""
    options = argparse.ArgumentParser(prog="dev.py e2e", add_help=False, allow_abbrev=False)
    options.add_argument("--target", action="append", choices=("embedded", "real"))
    chosen, rest = options.parse_known_args(arguments)
    missing = [name for name in ("HEADWAY_TEST_CLUSTER", "HEADWAY_TEST_BUCKET") if not os.environ.get(name)]
    targets = chosen.target or (["embedded"] if missing else ["embedded", "real"])
    if not chosen.target and missing:
        say(f"on the embedded cluster alone; for a real one, set {', '.join(missing)}")
    if shutil.which("kubectl") is None:
        raise Stop("The end-to-end suite looks at clusters through kubectl, which is not installed.", 2)
    if "real" in targets and missing:
        raise Stop(
            f"With --target real, the suite starts pods on a real cluster; not set: {', '.join(missing)}.\n"
            "Set KUBECONFIG to a cluster for tests, HEADWAY_TEST_CLUSTER=1 to say that it may be used, and\n"
            "HEADWAY_TEST_BUCKET (with AWS_ENDPOINT_URL_S3 and credentials) to a bucket that its pods reach.",
            2,
        )
    setup()
    suite = [*instead_of(["tests/e2e"], rest), "--no-skips", "--durations=30", "--durations-min=5"]
    suites = [pytest(*suite, f"--target={name}", *cached(name)) for name in dict.fromkeys(targets)]
    if len(suites) == 1:
        replace_process(suites[0])
    # They wait for pods most of the time, and not for each other.
    codes = run_side_by_side(suites)
    # Tests that were chosen by name may be about one of the clusters alone.
    raise SystemExit(max((code for code in codes if code != NO_TESTS), default=NO_TESTS))


def matrix(arguments: list[str]) -> NoReturn:
    """Every case of the matrix of graph shapes and features, on this machine; the integration tests run some."""
    setup()
    replace_process(pytest("tests/integration/test_matrix.py", "--matrix", "-q", *arguments))


def quickstart(arguments: list[str]) -> NoReturn:
    """The example on real data, its training steps as pods."""
    setup("examples")
    env = environment()
    bucket = env.get("HEADWAY_TEST_BUCKET")
    if bucket and not any("DATASTORE_SYSROOT" in name for name in env):
        # A bucket for tests, with credentials for tests: its pods have none of their own.
        env["HEADWAY_DATASTORE_SYSROOT_S3"] = f"s3://{bucket}/quickstart"
        env.setdefault("HEADWAY_FORWARD_CREDENTIALS", "1")
    if names_cluster() and not any(name.endswith("KUBERNETES_CONTAINER_IMAGE") for name in env):
        say("the pods need an image with scikit-learn; HEADWAY_KUBERNETES_CONTAINER_IMAGE names one")
    replace_process([str(PYTHON), EXAMPLE, "run", *arguments], env)


def names_cluster() -> bool:
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    files = [Path(name) for name in named if name] or [Path.home() / ".kube" / "config"]
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(file.is_file() for file in files)


def bench(arguments: list[str]) -> NoReturn:
    """A benchmark by its name, or the list of them."""
    names = sorted(
        path.stem for path in (ROOT / "benchmarks").glob("*.py") if "\nif __name__ == " in path.read_text()
    )
    if not arguments or arguments[0] not in names:
        raise Stop(f"Name a benchmark: {', '.join(names) or 'there is none yet'}", 2)
    setup("examples")
    replace_process([str(PYTHON), f"benchmarks/{arguments[0]}.py", *arguments[1:]])


def lock(arguments: list[str]) -> None:
    """Resolve pyproject.toml anew into ``requirements/``, for every Python and platform at once."""
    if not usable_uv():
        raise Stop("Locking needs uv: https://docs.astral.sh/uv", 2)
    minimum = ".".join(map(str, NEEDED))
    compile_all = ["uv", "pip", "compile", "--quiet", "--universal", f"--python-version={minimum}"]
    compile_all += ["--generate-hashes", "--no-annotate", "--custom-compile-command=python3 dev.py lock"]
    # The examples' packages agree with the others, so that one environment holds both.
    for group, sources in (("dev", ["pyproject.toml"]), ("examples", ["-c", str(lock_file("dev"))])):
        path = lock_file(group)
        path.parent.mkdir(exist_ok=True)
        run_or_stop([*compile_all, "--group", group, *sources, *arguments, "-o", str(path)])
        say(f"wrote {path.relative_to(ROOT)}")


# --- processes -------------------------------------------------------------------------------


def pytest(*arguments: str) -> list[str]:
    return [str(PYTHON), "-m", "pytest", *arguments]


def replace_process(command: list[str], env: dict[str, str] | None = None) -> NoReturn:
    """Become this command, so that signals, the terminal and the exit code are its own."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execvpe(command[0], command, env or environment())


def run_or_stop(command: list[str], env: dict[str, str] | None = None) -> None:
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    with attended(process):
        code = process.wait()
    if code:
        raise Stop(f"failed: {' '.join(command)}")


def run_captured(command: list[str], echo: bool) -> tuple[int, str]:
    """Run inside the environment; its standard output and error as one text, shown as it comes if wanted."""
    env = environment()
    process = subprocess.Popen(
        [shutil.which(command[0], path=env["PATH"]) or command[0], *command[1:]],
        cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
    assert process.stdout is not None
    lines = []
    with attended(process):
        for line in process.stdout:
            lines.append(line)
            if echo:
                print(line, end="", flush=True)
        code = process.wait()
    return code, "".join(lines)


def run_side_by_side(commands: list[list[str]]) -> list[int]:
    """Run inside the environment, all at once; the first is seen as it goes, of the others is told at the end.

    Returns:
        Their exit codes; that of one which a signal ended is as a shell would tell it.
    """
    sys.stdout.flush()
    with ExitStack() as stack:
        running: list[tuple[subprocess.Popen[bytes], Any]] = []
        for command in commands:
            said = stack.enter_context(tempfile.TemporaryFile()) if running else None
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
            stack.enter_context(attended(process))
            running.append((process, said))
        codes = [process.wait() for process, _ in running]
        for _, said in running:
            if said is not None:
                said.seek(0)
                shutil.copyfileobj(said, sys.stdout.buffer)
        sys.stdout.flush()
    return [code if code >= 0 else 128 - code for code in codes]


@contextmanager
def attended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Leave nothing running when this ends early: a child may have to clean up, so it is waited for.

    Ctrl-C in a terminal reaches the child too; SIGTERM reaches only us and is passed on as the same.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if isinstance(interrupt, Terminated):
            process.send_signal(signal.SIGINT)
        process.communicate()  # also reads what it still says, so that it does not wait for us
        raise


def quiet(command: list[str]) -> bool:
    """Whether this command succeeds, without a word."""
    try:
        return (
            subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode
            == 0
        )
    except OSError:
        return False


def say(message: str) -> None:
    print(f"dev: {message}", file=sys.stderr, flush=True)


# --- the command line ------------------------------------------------------------------------


def ensure_version() -> None:
    """Go on under a newer interpreter of the PATH where ``python3`` is an old one, as on macOS."""
    if sys.version_info >= NEEDED:
        return
    for minor in range(NEEDED[1] + 9, NEEDED[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer and works(Path(newer)):
            os.execv(newer, [newer, __file__, *sys.argv[1:]])
    raise Stop(f"Python 3.{NEEDED[1]} or later is needed; {sys.executable} is {sys.version.split()[0]}.", 2)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="dev.py", description="Set up, check and try this repository.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("setup", help="make or refresh the environment in .venv")
    one.add_argument("--examples", action="store_true", help="with what the examples need")
    one = commands.add_parser("check", help="the gate: format, lint, types, import contracts, tests, docs")
    one.add_argument("--skip", action="append", default=[], choices=[stage.name for stage in stages()])
    one.add_argument("-v", "--verbose", action="store_true", help="show what every stage says, as it says it")
    for name, text in (
        (
            "test",
            "unit tests, and integration tests where servers are configured [pytest's options]",
        ),
        (
            "e2e",
            "end-to-end tests on the embedded and the environment's cluster [--target, pytest's options]",
        ),
        ("matrix", "every graph shape with every feature [pytest's options, -k SHAPE-FEATURE, --show-flow]"),
        ("quickstart", f"run {EXAMPLE} with its training steps on Kubernetes [the flow's options]"),
        ("bench", "run a benchmark [NAME, its options]"),
        ("lock", "resolve the dependencies anew [uv's options, such as --upgrade]"),
    ):
        commands.add_parser(name, help=text, add_help=False)
    return top


def terminate(*_: object) -> NoReturn:
    raise Terminated


def main() -> None:
    ensure_version()
    arguments, rest = parser().parse_known_args()
    if rest and arguments.command in {"setup", "check"}:
        parser().error(f"unknown: {' '.join(rest)}")
    signal.signal(signal.SIGTERM, terminate)
    with_rest = {
        "test": test, "e2e": e2e, "matrix": matrix, "quickstart": quickstart, "bench": bench, "lock": lock,
    }  # fmt: skip
    if arguments.command == "setup":
        setup(*(["examples"] if arguments.examples else []))
    elif arguments.command == "check":
        check(arguments.skip, arguments.verbose)
    else:
        with_rest[arguments.command](rest)


if __name__ == "__main__":
    try:
        main()
    except Stop as stop:
        print(f"dev: {stop}", file=sys.stderr)
        sys.exit(stop.code)
    except KeyboardInterrupt:
        print("dev: interrupted", file=sys.stderr)
        sys.exit(130)
