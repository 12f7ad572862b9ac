"""The ``inputs`` of a join: the tasks it joins, by position in split order and by the name of their step."""

from headway.errors import HeadwayError
from headway.flow.names import did_you_mean
from headway.flow.task import Input
from headway.plain import Any, Callable, Dict, Iterator, List, Optional, Sequence, Union, overload


class Inputs(Sequence[Any]):
    """What a join step gets as its second argument.

    Each item is a flow object: its attributes are that task's artifacts, loaded when touched. What a
    join sets on one is there as long as the join runs, and is stored nowhere. ``inputs[0]``, iteration
    and ``len`` follow the order of the split; ``inputs.train`` is the (last) input that step ``train`` made.
    """

    def __init__(self, inputs: Sequence[Input], view: Callable[[Input], Any]) -> None:
        self._inputs = inputs
        self._view = view
        self._views: Dict[int, Any] = {}
        self._last: Optional[Dict[str, int]] = None

    def __len__(self) -> int:
        return len(self._inputs)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> List[Any]: ...

    def __getitem__(self, index: Union[int, slice]) -> Any:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self._inputs)))]
        position = index + len(self._inputs) if index < 0 else index
        if not 0 <= position < len(self._inputs):
            raise IndexError(f"there is no input {index}: this step joins {len(self._inputs)} tasks")
        if position not in self._views:
            self._views[position] = self._view(self._inputs[position])
        return self._views[position]

    def __iter__(self) -> Iterator[Any]:
        return (self[position] for position in range(len(self._inputs)))

    def __getattr__(self, step: str) -> Any:
        if step.startswith("_"):
            raise AttributeError(step)
        if self._last is None:
            self._last = {each.step: position for position, each in enumerate(self._inputs)}
        if step not in self._last:
            hint = did_you_mean(step, self._last, "inputs.{}")
            raise AttributeError(f"This step does not join a step '{step}'. {hint}")
        return self[self._last[step]]

    def __reduce__(self) -> Any:
        raise HeadwayError(
            "The inputs of a join cannot be stored or pickled.",
            "Keep the values that you need, for example self.scores = [each.score for each in inputs].",
        )

    def __repr__(self) -> str:
        return f"<{len(self)} inputs: {', '.join(sorted({each.step for each in self._inputs}))}>"
