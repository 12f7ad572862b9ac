"""Which kind of datastore a run will use, for the functions that make its parameters' defaults."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headway.cli.embedded import will_use_embedded_cluster
from headway.cli.program import Program
from headway.config.datastore import choose_datastore
from headway.config.general import datastore_roots
from headway.config.shared import unseen_folder
from headway.flow.graph import Graph
from headway.launch.steps import plan_steps

if TYPE_CHECKING:
    from headway.launch.overrides import Override


def store_kind(this: Program, graph: Graph, overrides: "Sequence[Override]", past: str | None = None) -> str:
    """The kind ("local", "s3", …) that the launcher will choose for a run of this graph.

    Args:
        this: The program.
        graph: The graph.
        overrides: What ``--override`` says.
        past: Where the run is that this one goes on from.

    Raises:
        HeadwayError: It cannot be chosen, or a step's settings cannot be used; the launcher would say the same.
    """
    far = {}
    if not will_use_embedded_cluster(this, graph):
        steps = plan_steps(graph, this.configuration, overrides)
        far = {name: step.kubernetes for name, step in steps.items() if step.kubernetes is not None}
    unseen = unseen_folder(far)
    chosen = this.options.datastore is not None or this.options.datastore_root is not None
    if past is not None and not chosen and ("://" in past or not unseen(past)):
        return past.partition("://")[0] if "://" in past else "local"
    return choose_datastore(
        this.options.datastore,
        this.options.datastore_root,
        datastore_roots(this.configuration),
        bool(far),
        this.configuration.get("DEFAULT_DATASTORE"),
        unseen,
    ).kind
