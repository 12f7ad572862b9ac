"""Where in foreachs a task stands, under the names and in the words that Metaflow's users know."""

from typing import List, Optional, Tuple

from headway.client.run_data import RunData
from headway.flow.frames import shown_item
from headway.flow.graph import PARALLEL_VARIABLE
from headway.flow.splits import items_of
from headway.flow.task import HIDDEN_PREFIX
from headway.store.records import FrameTuple, Record

#: Characters of all items' texts together, with their variables.
_TOGETHER = 256


def foreach_index(frames: Tuple[FrameTuple, ...]) -> Optional[int]:
    """The index in the innermost foreach, None outside of any."""
    return next((index for _, _, index, _, variable in reversed(frames) if variable is not None), None)


def first_of_foreach(run: RunData, frame: FrameTuple) -> str:
    """The first step of a foreach, by which Metaflow names it; the split's own name where that is not known."""
    node = run.graph.nodes.get(frame[0])
    return node.targets[0] if node is not None and len(node.targets) == 1 else frame[0]


def item_of(run: RunData, record: Record, frame: FrameTuple) -> Optional[str]:
    """The text of a task's item in one foreach, cut short; None where there is none, or it cannot be read."""
    split, _, index, count, variable = frame
    refs = record.artifacts
    name = next((each for each in (HIDDEN_PREFIX + split, variable) if each in refs), None)
    if name is None or variable == PARALLEL_VARIABLE:
        return None
    ref = refs[name]
    if ref.sha256 not in run.items:
        try:
            texts = tuple(
                shown_item(item) for _, item in zip(range(count), items_of(run.artifacts.load(name, ref)))
            )
        except Exception:
            # It is of the person's own making: its class is not here, or the step gave the name another meaning.
            texts = ()
        run.items[ref.sha256] = texts
    known = run.items[ref.sha256]
    return known[index] if index < len(known) else None


def stack_of(run: RunData, record: Record) -> List[str]:
    """The foreachs around a task as ``variable=item``, from the outermost on, as far as they are short texts."""
    stack: List[str] = []
    for frame in record.frames:
        if frame[4] is None:
            continue
        item = item_of(run, record, frame)
        level = f"{frame[4]}={item}"
        if not item or sum(map(len, stack)) + len(level) > _TOGETHER:
            break
        stack.append(level)
    return stack


def path_of(run: RunData, frames: Tuple[FrameTuple, ...]) -> str:
    """The foreachs around a task as ``step:index,step:index``, each by its first step."""
    levels = (frame for frame in frames if frame[4] is not None)
    return ",".join(f"{first_of_foreach(run, frame)}:{frame[2]}" for frame in levels)
