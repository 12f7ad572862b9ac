"""What is known of a pod that no node takes, from all that was asked about it: pure.

What only lacks room is waited for. What no node could ever take is given up after a while, unless an autoscaler
makes a node for it, or would, had it one to give.
"""

from headway.executors.kubernetes.fitting import Fit
from headway.executors.kubernetes.pod_events import Scaling
from headway.executors.kubernetes.standstill import GOES_ON, Standstill

#: Where no node there could ever take a pod, and where the nodes there could never take all ranks of a gang.
NEVER, TOO_LARGE = "NeverSchedulable", "GangTooLarge"

#: What is added where an autoscaler would make a node, but for want of machines or quota.
_IN_STOCK = (
    " Waiting goes on until it has one; other kinds of nodes, zones or a higher limit may have some now."
)


def unplaced(
    known: Standstill, scaler: Scaling, found: Fit | None, ranks: int, limit: float, waited: float = 0.0
) -> Standstill | None:
    """Why the pod has no node, None where nothing is known beyond what its state says.

    Args:
        known: What its state says: the scheduler's words.
        scaler: What an autoscaler says.
        found: What the nodes are to the pod, None where they cannot be read.
        ranks: How many such pods have to run at a time: those of its gang, else 1.
        limit: Seconds after which what can never be is given up, 0 for not at all.
        waited: Seconds of them that earlier pods of the same attempt have waited.
    """
    if scaler.makes:
        words = f"an autoscaler is making a node for it ({scaler.words})"
        return Standstill("ScaleUp", words, hint="A new node takes a few minutes.")
    alone = found.words if found else ""
    together = _too_few(found, ranks)
    never = bool(alone or together or known.fixed)
    if not never and not scaler.words:
        return None
    why = alone or together
    words = f"{known.message} ({why})" if why else known.message
    hint = known.hint.removesuffix(GOES_ON)
    if scaler.out_of_stock:
        words = f"{words}; the cluster's autoscaler has no node to give for now ({scaler.words})"
        return Standstill("OutOfStock", words, None, f"{hint}{_IN_STOCK}")
    refused = (
        f"; the cluster's autoscaler does not make a node for it ({scaler.words})" if scaler.words else ""
    )
    if not never or not limit:
        # A word of its own, or it would not be told after what the pod's state says.
        return Standstill("NoScaleUp" if refused else "Unschedulable", f"{words}{refused}", None, known.hint)
    longer = (
        f"Where an autoscaler needs longer than {limit:.0f} seconds to make a node, raise "
        "HEADWAY_KUBERNETES_UNSCHEDULABLE_TIMEOUT (0 waits for ever)."
    )
    patience = max(0.0, limit - waited)
    if together:
        return Standstill(
            TOO_LARGE, f"{together}{refused}", patience, f"Use fewer ranks, or smaller ones. {longer}"
        )
    said = f"no node of the cluster could ever take the pod: {alone}" if alone else words
    return Standstill(NEVER, f"{said}{refused}", patience, f"{hint} {longer}")


def _too_few(found: Fit | None, ranks: int) -> str:
    """That the nodes could never hold all ranks at a time, "" where they could or that is not known."""
    if found is None or not found.possible or found.room >= ranks:
        return ""
    return (
        f"all {ranks} ranks of a gang have to run at a time, and the cluster's nodes could hold {found.room} of them, "
        "were they empty"
    )
