"""What every store accepts as a key, so that no store is the odd one out."""


def is_key(key: str) -> bool:
    """Whether an object of a datastore can be called so; others may leave objects that cannot."""
    slashed = f"/{key}/"
    return not ("//" in slashed or "/./" in slashed or "/../" in slashed) and _is_plain(key)


def check_key(key: str) -> str:
    """The key, if it can name an object in every store.

    Args:
        key: Parts joined by single slashes; no part is empty, ``.`` or ``..``; no control characters.

    Raises:
        ValueError: Otherwise. Keys are made by code, so this is a fault of ours, not of a person.
    """
    if not is_key(key):
        raise ValueError(f"{key!r} cannot be the key of an object")
    return key


def check_prefix(prefix: str) -> str:
    """The prefix, if keys can start with it; it may be empty and may end anywhere within a key.

    Raises:
        ValueError: Otherwise.
    """
    folders = prefix.split("/")[:-1]
    if not _is_plain(prefix) or any(part in ("", ".", "..") for part in folders):
        raise ValueError(f"no key can start with {prefix!r}")
    return prefix


def _is_plain(text: str) -> bool:
    return text.isprintable() or not any(char < " " or char == "\x7f" for char in text)
