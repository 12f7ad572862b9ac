"""``ConfigValue``: what a configuration holds, as steps and decorators read it; nothing can change it."""

from typing import Any, Dict, Iterable, List, Mapping, NoReturn, Tuple


class ConfigValue(Dict[Any, Any]):
    """A read-only dict whose items are attributes too: ``config.model.depth`` is ``config["model"]["depth"]``.

    Mappings within it are such values as well. It is a dict, so that JSON and ``**config`` know it.

    Args:
        data: What it holds; copied as far as mappings and lists go.
    """

    def __init__(self, data: Mapping[Any, Any]) -> None:
        super().__init__({key: _frozen(value) for key, value in data.items()})

    @classmethod
    def fromkeys(cls, iterable: Iterable[Any], value: Any = None) -> "ConfigValue":
        """A value with these keys, all holding the same."""
        return cls(dict.fromkeys(iterable, value))

    def to_dict(self) -> Dict[Any, Any]:
        """The same as ordinary dicts, which can be changed."""
        return {key: thawed(value) for key, value in self.items()}

    @property
    def _data(self) -> Dict[Any, Any]:
        """The outermost dict as an ordinary one; what programs written for Metaflow read under this name."""
        return dict(self)

    def copy(self) -> "ConfigValue":
        """An equal value."""
        return ConfigValue(self)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            pass
        if name.startswith("__"):
            raise AttributeError(name)
        from headway.flow.names import did_you_mean  # only on the way to an error message

        known = [key for key in self if isinstance(key, str)]
        raise AttributeError(f"The configuration has no '{name}'. {did_you_mean(name, known)}".rstrip())

    def __dir__(self) -> List[str]:
        return [*super().__dir__(), *(key for key in self if isinstance(key, str) and key.isidentifier())]

    def __reduce__(self) -> Tuple[Any, ...]:
        return (ConfigValue, (self.to_dict(),))

    def __copy__(self) -> "ConfigValue":
        return self

    def __deepcopy__(self, memo: Any) -> "ConfigValue":
        return ConfigValue(self.to_dict())

    def _refuse(self, *arguments: Any, **named: Any) -> NoReturn:
        raise TypeError("ConfigValue is immutable: take a copy that can be changed with .to_dict()")

    __setitem__ = __delitem__ = __setattr__ = __delattr__ = __ior__ = _refuse
    clear = update = setdefault = pop = popitem = _refuse


def thawed(value: Any) -> Any:
    """The same value with ordinary dicts in place of configurations, also within lists, tuples and sets."""
    if isinstance(value, Mapping):
        return {key: thawed(item) for key, item in value.items()}
    if type(value) in (list, tuple, set):
        return type(value)(thawed(item) for item in value)
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, ConfigValue):
        return value
    if isinstance(value, Mapping):
        return ConfigValue(value)
    if type(value) in (list, tuple, set):
        return type(value)(_frozen(item) for item in value)
    return value
