"""``tag add``, ``remove``, ``replace`` and ``list``."""

from collections.abc import Iterable, Sequence

from headway.cli.program import Program
from headway.cli.reading import look_where_told, told_for_typing, user_namespace, warned_in_words
from headway.client import Flow, NamespaceMismatchError, NotFoundError, Run, namespace
from headway.errors import UsageError


def add(this: Program, *, run_id: str | None, namespace: str | None, tags: Sequence[str]) -> None:
    """Give a run tags."""
    run = _run(this, run_id, namespace)
    run.add_tags(tags)
    _say(this, run)


def remove(this: Program, *, run_id: str | None, namespace: str | None, tags: Sequence[str]) -> None:
    """Take tags away from a run."""
    run = _run(this, run_id, namespace)
    run.remove_tags(tags)
    _say(this, run)


def replace(
    this: Program, *, run_id: str | None, namespace: str | None, added: Sequence[str], removed: Sequence[str]
) -> None:
    """Take tags away from a run and give it others, in one change."""
    if not added or not removed:
        raise UsageError(
            "tag replace takes at least one --remove TAG and one --add TAG.",
            "To give tags only, type `tag add`; to take some away, `tag remove`.",
        )
    run = _run(this, run_id, namespace)
    run.replace_tags(removed, added)
    _say(this, run)


def list_tags(
    this: Program,
    *,
    run_id: str | None,
    run: str | None,
    all_runs: bool,
    my_runs: bool,
    hide_system_tags: bool,
    group_by_tag: bool,
    group_by_run: bool,
    flat: bool,
) -> None:
    """Print tags: all of them, by run or by tag."""
    _exclusive(("--all", all_runs), ("--my-runs", my_runs), ("--run-id", run_id or run))
    _exclusive(("--run-id", run_id), ("a run as an argument", run))
    _exclusive(("--group-by-tag", group_by_tag), ("--group-by-run", group_by_run), ("--flat", flat))
    one = run_id or run
    with warned_in_words(this):
        runs = [_run(this, one, "")] if one else _runs(this, my_runs=my_runs)
        if group_by_tag:
            _by_tag(this, runs, system=not hide_system_tags)
        elif group_by_run:
            for each in runs:
                _by_run(this, [each], system=not hide_system_tags)
        elif this.options.quiet and not flat:
            _by_run(this, runs, system=not hide_system_tags)
        else:
            _all(this, runs, system=not hide_system_tags, marked=not flat)


def _run(this: Program, run_id: str | None, given_namespace: str | None) -> Run:
    look_where_told(this)
    within = user_namespace(this, given_namespace)
    namespace(within)
    if run_id is None:
        with told_for_typing(this), warned_in_words(this):
            latest = Flow(this.flow).latest_run
        raise UsageError(
            "Which run is meant? --run-id RUN has to be given.",
            f"The latest one is: --run-id {latest.id}" if latest is not None else None,
        )
    if "/" in run_id:
        raise UsageError(f"--run-id={run_id} is no run's id.", "Give the id alone, without flow and step.")
    with told_for_typing(this):
        return Run(f"{this.flow}/{run_id}")


def _runs(this: Program, *, my_runs: bool) -> list[Run]:
    look_where_told(this)
    namespace(user_namespace(this, None) if my_runs else None)
    try:
        return list(Flow(this.flow))
    except NamespaceMismatchError:
        return []
    except NotFoundError as error:
        raise NotFoundError(f"{this.flow} has no tags: it has never run.", "Type `run` first.") from error


def _say(this: Program, run: Run) -> None:
    this.write(f"The tags of {run.pathspec} are now:", error=True)
    if this.options.quiet:
        _by_run(this, [run], system=True)
    else:
        _all(this, [run], system=True, marked=True)


def _all(this: Program, runs: Iterable[Run], *, system: bool, marked: bool) -> None:
    """A tag a line, what people gave first."""
    given: set[str] = set()
    fixed: set[str] = set()
    for run in runs:
        given |= run.user_tags
        fixed |= run.system_tags if system else frozenset()
    for tag in sorted(given):
        this.write(tag)
    for tag in sorted(fixed):
        this.write(f"{tag}  (system)" if marked else tag, style="dim")


def _by_run(this: Program, runs: Sequence[Run], *, system: bool) -> None:
    """A line for runs and their tags; the quiet form is for programs."""
    given = sorted(frozenset[str]().union(*(run.user_tags for run in runs)))
    fixed = sorted(frozenset[str]().union(*(run.system_tags for run in runs))) if system else []
    names = [run.pathspec for run in runs]
    if this.options.quiet:
        this.write(" ; ".join((",".join(names), ",".join(fixed), ",".join(given))))
        return
    this.write(
        f"{', '.join(names)}: {', '.join(given) or '-'}"
        + (f"  (system: {', '.join(fixed)})" if fixed else "")
    )


def _by_tag(this: Program, runs: Iterable[Run], *, system: bool) -> None:
    given: dict[str, list[str]] = {}
    fixed: dict[str, list[str]] = {}
    for run in runs:
        for tag in run.user_tags:
            given.setdefault(tag, []).append(run.pathspec)
        for tag in run.system_tags if system else ():
            fixed.setdefault(tag, []).append(run.pathspec)
    for kind, found in (("user", given), ("system", fixed)):
        for tag, names in sorted(found.items()):
            if this.options.quiet:
                this.write(f"{kind}:{tag} ; {','.join(names)}")
            else:
                this.write(f"{tag}{'  (system)' if kind == 'system' else ''}: {', '.join(names)}")


def _exclusive(*options: tuple[str, object]) -> None:
    given = [name for name, value in options if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot be given together.", "Leave one of them out.")
