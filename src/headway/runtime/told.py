"""What ``current`` tells only when asked: the running task and its run as the client shows them, and the graph."""

from typing import Any, Callable, Dict

from headway.errors import NotFoundError
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec


def told_when_asked(
    flow_class: Any, batch: Batch, task: TaskSpec, store: ObjectStore
) -> Dict[str, Callable[[], Any]]:
    """The values by name, each made when first asked for.

    Args:
        flow_class: The flow.
        batch: What the task belongs to.
        task: The task.
        store: The datastore, which the client is to use as well.
    """

    def data() -> Any:
        # The client is loaded by the steps that ask for it.
        from headway.client.lookup import read_run
        from headway.client.stores import keep_store

        keep_store(store)
        found = read_run(store.url, batch.flow, batch.run)
        if found is None:
            raise NotFoundError(f"Run {batch.flow}/{batch.run} is no longer in {store.url}.")
        return found

    def run() -> Any:
        from headway.client.run import Run

        return Run._bound(data(), (batch.flow, batch.run))

    def this_task() -> Any:
        return run()[batch.step][task.task]

    def parameter_names() -> Any:
        from headway.flow.members import configs_of, parameters_of

        return [*configs_of(flow_class), *parameters_of(flow_class)]

    def graph() -> Any:
        from headway.flow.graph_info import graph_info

        return graph_info(data().graph, flow_class)

    def trigger() -> Any:
        from headway.client.trigger import Trigger

        return Trigger.decode(batch.triggers)

    return {
        **({"trigger": trigger} if batch.triggers else {}),
        "run": run,
        "task": this_task,
        "graph": graph,
        "graph_info": graph,
        "parameter_names": parameter_names,
    }
