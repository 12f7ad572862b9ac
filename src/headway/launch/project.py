"""``@project``: the branch that a run belongs to, from the decorator and the command line."""

from headway.errors import UsageError
from headway.flow.flow_catalogue import is_project_name
from headway.flow.graph import Graph
from headway.flow.misuse import error_at
from headway.store.batch import Project


def resolve_project(graph: Graph, user: str, branch: str | None, production: bool) -> Project | None:
    """The project of a run, None for a flow without ``@project``.

    Args:
        graph: The flow's graph.
        user: Whose the branch is where nothing else is said.
        branch: ``--branch``; empty for none.
        production: ``--production``.

    Raises:
        UsageError: The command line and the decorator contradict each other, or a branch has no possible name.
    """
    spec = graph.decorator("project")
    if spec is None:
        return None
    # A variable of a script that is not set makes `--branch ""`, which says nothing.
    branch = branch or None
    for name, typed in (("branch", branch), ("production", production or None)):
        written = spec.attributes.get(name)
        if typed is not None and written is not None and typed != written:
            raise error_at(
                spec,
                f"@project({name}={written!r}) and the command line ({name} {typed!r}) say different things.",
                f"Leave {name} out of the decorator, or off the command line (and its variable).",
            )
    if branch is not None and not is_project_name(branch):
        raise UsageError(
            f"--branch={branch} is not possible: "
            "up to 128 lower-case letters, digits and underscores are allowed."
        )
    chosen = spec.attributes.get("branch") or branch
    is_production = bool(spec.attributes.get("production") or production)
    project = str(spec.attributes["name"])
    stage = "prod" if is_production else "test" if chosen else "user"
    owner = chosen or ("" if is_production else user)
    full = f"{stage}.{owner}" if owner else stage
    return Project(
        name=project,
        branch=full,
        flow=f"{project}.{full}.{graph.name}",
        user_branch=not chosen and not is_production,
        production=is_production,
    )
