"""Listens, while the flow is imported, to how random generators are seeded: not by whom, only with what."""

import functools
import gc
import sys
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Set


class Seeding:
    """Within the ``with`` block it hears of each call that seeds, in a module from when that has been loaded.

    Attributes:
        fixed: The modules whose global generator was last seeded with a fixed value.
    """

    def __init__(self) -> None:
        self.fixed: Set[str] = set()
        self._listen: Dict[str, Callable[[Any], None]] = {
            "random": self._listen_to_random,
            "numpy.random": self._listen_to_numpy,
            "torch": self._listen_to_torch,
        }
        self._at_end: List[Callable[[], None]] = []
        #: The instances of ``random.Random`` that the system seeded last, weakly, by id.
        self._unseeded: Dict[int, Callable[[], Any]] = {}
        #: What the system gave to seed generators of numpy with.
        self._drawn: Set[int] = set()

    def __enter__(self) -> "Seeding":
        for name, listen in self._listen.items():
            if name in sys.modules:
                listen(sys.modules[name])
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for act in reversed(self._at_end):
            act()

    @property
    def generators(self) -> List[Any]:
        """The instances of ``random.Random`` that the system seeded, as far as they are still there."""
        return [generator for refer in self._unseeded.values() if (generator := refer()) is not None]

    @property
    def unfit(self) -> str:
        """Why no child must share what was imported, "" where it may."""
        if not self._drawn:
            return ""
        kind: Any = sys.modules["numpy.random.bit_generator"].SeedSequence
        # A generator holds the sequence that it was seeded with; one that was made and given away holds none.
        for each in gc.get_objects():
            if type(each) is kind and isinstance(each.entropy, int) and each.entropy in self._drawn:
                return "importing the flow made a numpy generator without a seed, which its tasks would share"
        return ""

    def find_spec(self, name: str, path: Any = None, target: Optional[ModuleType] = None) -> Any:
        """What others find, for the modules to listen to; they tell when they have been loaded."""
        listen = self._listen.get(name)
        if listen is None:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None and finder is not self else None
            if spec is not None:
                _once_loaded(name, spec.loader, listen)
                return spec
        return None

    def _listen_to_random(self, module: Any) -> None:
        # For flows that use random numbers only.
        from weakref import ref

        shared, kind = module._inst, module.Random
        seed, setstate = kind.seed, kind.setstate

        def hear(generator: Any, fixed: bool) -> None:
            if generator is shared:
                self._hear("random", fixed)
            elif fixed:
                self._unseeded.pop(id(generator), None)
            else:
                self._unseeded[id(generator)] = ref(generator)

        @functools.wraps(seed)
        def heard_seed(generator: Any, *args: Any, **kwargs: Any) -> None:
            seed(generator, *args, **kwargs)
            hear(generator, _is_fixed(args, kwargs))

        @functools.wraps(setstate)
        def heard_setstate(generator: Any, state: Any) -> None:
            setstate(generator, state)
            hear(generator, True)

        self._put(kind, "seed", heard_seed)
        self._put(kind, "setstate", heard_setstate)
        self._put(module, "seed", shared.seed)
        self._put(module, "setstate", shared.setstate)

    def _listen_to_numpy(self, module: Any) -> None:
        for name in ("seed", "set_state", "set_bit_generator"):
            known = getattr(module, name, None)
            if known is not None:
                self._put(module, name, self._heard(known, "numpy.random"))
        generators: Any = sys.modules.get("numpy.random.bit_generator")
        draw = getattr(generators, "randbits", None)
        if draw is not None:

            def heard_randbits(count: int) -> int:
                drawn: int = draw(count)
                self._drawn.add(drawn)
                return drawn

            self._put(generators, "randbits", heard_randbits)

    def _listen_to_torch(self, module: Any) -> None:
        ask = getattr(module, "initial_seed", None)
        if ask is not None:
            # It knows the seed that it was given, however that was.
            before = ask()
            self._at_end.append(lambda: self._hear("torch", ask() != before))

    def _heard(self, function: Callable[..., Any], module: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def heard(*args: Any, **kwargs: Any) -> Any:
            answer = function(*args, **kwargs)
            self._hear(module, _is_fixed(args, kwargs))
            return answer

        return heard

    def _hear(self, module: str, fixed: bool) -> None:
        (self.fixed.add if fixed else self.fixed.discard)(module)

    def _put(self, holder: Any, name: str, value: Any) -> None:
        self._at_end.append(functools.partial(setattr, holder, name, getattr(holder, name)))
        setattr(holder, name, value)


def _is_fixed(args: Any, kwargs: Any) -> bool:
    """Whether there is a value to seed with: the first argument, or the only one with a name."""
    return next(iter((*args, *kwargs.values())), None) is not None


def _once_loaded(name: str, loader: Any, tell: Callable[[Any], None]) -> None:
    """Have a module's loader tell once it has loaded the module."""
    if isinstance(loader, type) or not hasattr(loader, "exec_module") or not hasattr(loader, "__dict__"):
        return
    load = loader.exec_module

    def load_and_tell(module: Any) -> None:
        # There may be no import after the search, or one that begins with a search of its own.
        loader.__dict__.pop("exec_module", None)
        load(module)
        if module.__name__ == name:
            tell(module)

    loader.exec_module = load_and_tell
