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


def store_kind(this: Program, graph: Graph, overrides: "Sequence[Override]") -> str:
    """The kind ("local", "s3", …) that the launcher will choose for a new run of this graph.

    Raises:
        HeadwayError: It cannot be chosen, or a step's settings cannot be used; the launcher would say the same.
    """
    far = {}
    if not will_use_embedded_cluster(this, graph):
        steps = plan_steps(graph, this.configuration, overrides)
        far = {name: step.kubernetes for name, step in steps.items() if step.kubernetes is not None}
    return choose_datastore(
        this.options.datastore,
        this.options.datastore_root,
        datastore_roots(this.configuration),
        bool(far),
        this.configuration.get("DEFAULT_DATASTORE"),
        unseen_folder(far),
    ).kind
