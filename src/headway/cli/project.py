"""Which project a run will belong to, for the functions that make its parameters' defaults."""

from headway.cli.program import Program
from headway.config.general import branch_owner, user
from headway.flow.graph import Graph
from headway.launch.project import resolve_project
from headway.store.batch import Project


def project_of(this: Program, graph: Graph) -> Project | None:
    """The project of a run of this graph, None without ``@project``.

    Args:
        this: The program.
        graph: The graph.

    Raises:
        UsageError: What is typed for it is not possible; the launcher would say the same.
    """
    owner = branch_owner(this.configuration, user(this.configuration))
    return resolve_project(graph, owner, this.options.branch, this.options.production)
