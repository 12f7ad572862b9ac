"""What the scheduler says of a pod that no node takes, in words for people: pure."""

import re
from dataclasses import dataclass

from headway.executors.kubernetes.taints import is_passing

_NODES = re.compile(r"(\d+)/(\d+) nodes are available:?\s*(.*)", re.DOTALL)
_PIECE = re.compile(r"(\d+) (.+)", re.DOTALL)
#: Pieces are parted by commas, but a taint may hold some: only those before a number count.
_PARTED = re.compile(r", (?=\d+ )")
_TAINT = re.compile(r"untolerated taint(?:\(s\))?(?: \{([^}]*)\})?")
#: What follows is what the scheduler thinks of preemption.
_MORE = re.compile(r"\.? (?:preemption: |no new claims to deallocate)")
_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" (not found|is being deleted|bound to non-existent)')


@dataclass(frozen=True, slots=True)
class Explained:
    """The scheduler's message, read.

    Attributes:
        words: Why, without the scheduler's own jargon.
        hint: What to do about it.
        hopeless: Whether no node that comes could change it: what the pod names does not exist.
        fixed: Whether all nodes are ruled out by what they are (labels, taints), not by what runs on them.
        unbound: Whether a claim of the pod has no volume; its events may say why.
    """

    words: str
    hint: str
    hopeless: bool = False
    fixed: bool = False
    unbound: bool = False


_ROOM = "Ask for less ({0}=…), or for a node that is there."
#: What is asked for too much of; of several, one sentence names all.
_ROOM_FOR = re.compile(re.escape(_ROOM).replace(re.escape("{0}"), r"(\w+)"))
_GENERAL = "Ask for less, or for a node that is there."
#: Hints that are given at a time: a message may name as many causes as there are.
_MOST_HINTS = 2

#: What the scheduler writes of a number of nodes; {n} of them; whether it is what the nodes are.
_CAUSES: tuple[tuple[str, str, str, bool], ...] = (
    (
        r"Insufficient nvidia\.com/gpu|Insufficient amd\.com/gpu",
        "{n} too few free GPUs",
        _ROOM.format("gpu"),
        False,
    ),
    (r"Insufficient cpu", "{n} too little free cpu", _ROOM.format("cpu"), False),
    (r"Insufficient memory", "{n} too little free memory", _ROOM.format("memory"), False),
    (r"Insufficient ephemeral-storage", "{n} too little free disk", _ROOM.format("disk"), False),
    (r"Insufficient (\S+)", "{n} too little free {0}", _ROOM.format("extended_resources"), False),
    (r"Too many pods", "{n} no place for one more pod", "Pods there have to end first.", False),
    (
        r"didn't match Pod's node affinity/selector|didn't match node selector",
        "{n} not the labels that node_selector, compute_pool or affinity ask for",
        "Compare them with the nodes' labels: kubectl get nodes --show-labels.",
        True,
    ),
    (
        r"pod anti-affinity|existing pods anti-affinity",
        "{n} a pod that anti-affinity keeps this one away from",
        "Those pods have to end first; loosen affinity= if it need not be.",
        False,
    ),
    (
        r"pod affinity rules|match pod affinity",
        "{n} no pod of the kind that affinity asks for",
        "Check affinity= against the labels of the pods that are there.",
        False,
    ),
    (
        r"topology spread",
        "{n} its share of the pods already, as topology_spread_constraints say",
        "Check topologyKey against the nodes' labels; whenUnsatisfiable: ScheduleAnyway would not wait.",
        False,
    ),
    (
        r"volume node affinity conflict",
        "{n} no way to the volume (it lives in another zone)",
        "The volume can be reached from its own zone only: choose nodes there.",
        True,
    ),
    (
        r"find available persistent volumes to bind|unbound immediate",
        "{n} no volume for a claim of the pod",
        "Its claim is not bound: kubectl describe pvc says why; check the storage class.",
        False,
    ),
    (
        r"exceed max volume count",
        "{n} as many volumes as it can hold",
        "Pods there have to end first.",
        False,
    ),
    (
        r"were unschedulable",
        "{n} the mark that it takes no pods (cordoned)",
        "Somebody has to take it off: kubectl uncordon NODE.",
        False,
    ),
    (r"free ports", "{n} its port in use already", "Two pods cannot have one host port on one node.", False),
)


def explain(message: str) -> Explained:
    """Read the message of the condition PodScheduled, or of a FailedScheduling event."""
    claim = _CLAIM.search(message)
    if claim:
        lacking = claim.group(2) == "not found"
        words = (
            f"the volume claim {claim.group(1)} {'does not exist' if lacking else 'has lost its volume'} "
            "in the pod's namespace"
        )
        hint = (
            "Create it, or name another with persistent_volume_claims=…: kubectl get pvc shows what is there."
        )
        return Explained(words, hint, hopeless=True)
    if "unbound immediate PersistentVolumeClaims" in message:
        return Explained(
            "a volume claim of the pod is not bound to a volume yet",
            "kubectl describe pvc says why: a storage class that does not exist, or no volume left.",
            unbound=True,
        )
    found = _NODES.search(message)
    if found is None:
        return Explained(message.strip() or "no reason given", _GENERAL)
    total = int(found.group(2))
    if total == 0:
        return Explained("the cluster has no nodes", "An autoscaler, or somebody, has to add one.")
    why = _MORE.split(found.group(3))[0].strip().rstrip(".")
    pieces = [_piece(each) for each in _PARTED.split(why)]
    counted = sum(count for count, *_ in pieces)
    words = ", ".join(text for _, text, _, _ in pieces if text)
    of = f"of {total} nodes " if total > 1 else "of 1 node "
    fixed = counted >= total and all(each for *_, each in pieces)
    hints = _joined([hint for *_, hint, _ in pieces if hint])[:_MOST_HINTS]
    lacking = "available persistent volumes to bind" in why
    return Explained(f"{of}{words}", " ".join(hints) or _GENERAL, fixed=fixed, unbound=lacking)


def _joined(hints: list[str]) -> list[str]:
    """The hints, each once, in their order; those that tell to ask for less as one."""
    lacking = dict.fromkeys(found.group(1) for found in map(_ROOM_FOR.fullmatch, hints) if found)
    room = _ROOM.format("=…, ".join(lacking))
    return list(dict.fromkeys(room if _ROOM_FOR.fullmatch(hint) else hint for hint in hints))


def _piece(text: str) -> tuple[int, str, str, bool]:
    """(nodes, words, hint, whether it is what the nodes are) of one of the message's pieces."""
    found = _PIECE.fullmatch(text.strip())
    if found is None:
        return 0, text.strip(), "", False
    count, said = int(found.group(1)), found.group(2)
    has = f"{count} has" if count == 1 else f"{count} have"
    taint = _TAINT.search(said)
    if taint:
        return (
            count,
            f"{has} a taint that the pod does not tolerate{_named(taint)}",
            *_taint_hint(taint.group(1) or ""),
        )
    for pattern, words, hint, fixed in _CAUSES:
        match = re.search(pattern, said)
        if match:
            return count, words.format(*match.groups(), n=has), hint, fixed
    return count, text.strip(), "", False


def _named(taint: re.Match[str]) -> str:
    name = (taint.group(1) or "").strip().rstrip(":").strip()
    return f" ({name})" if name else ""


def _taint_hint(taint: str) -> tuple[str, bool]:
    keys = [each.partition(":")[0].strip() for each in taint.split(",")]
    if any(map(is_passing, keys)):
        return "Such taints come and go: the node is starting, leaving or in trouble.", False
    key = keys[0]
    if not key:
        # Newer schedulers count taints and name none.
        return (
            "kubectl describe nodes shows their taints; tolerate one with tolerations=… if its nodes are meant.",
            True,
        )
    return (
        f'Tolerate it if these nodes are meant: tolerations=[{{"key": "{key}", "operator": "Exists"}}].',
        True,
    )
