"""Names that people type: which are taken, and which one was probably meant."""

from headway.plain import Iterable, Optional

#: What a flow object has of its own, or had in Metaflow; no step can be called so.
RESERVED_NAMES = frozenset(
    {"cmd", "foreach_stack", "index", "input", "merge_artifacts", "name", "next", "script_name"}
)
#: Those of them that an artifact can be called.
FREE_NAMES = frozenset({"cmd", "name"})


def folded(name: str) -> str:
    """A name as it is compared on the command line and in variables: neither case counts, nor - against _."""
    return name.lower().replace("_", "-")


def closest(name: str, candidates: Iterable[str]) -> Optional[str]:
    """The candidate that was probably meant, None where none is near."""
    from difflib import get_close_matches  # only on the way to an error message

    known = sorted(set(candidates))
    lowered = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def did_you_mean(name: str, candidates: Iterable[str], form: str = "{}") -> str:
    """A sentence that offers the closest candidate and lists all, "" where there are none.

    Args:
        name: What was typed.
        candidates: What would have been understood.
        form: How a candidate is written, for example ``self.{}``.
    """
    known = sorted(set(candidates))
    if not known:
        return ""
    match = closest(name, known)
    listed = f"Known: {', '.join(known)}."
    return f"Did you mean {form.format(match)}? {listed}" if match else listed
