"""Open files: how many local tasks at a time the system allows."""

import resource

#: Pipe ends per attempt: in the launcher, and in the process that forks while the child is being made.
_PER_ATTEMPT = 8
#: What the launcher needs for all else: the datastore, the cluster, the flow's own files.
_BASE = 200


def make_room(attempts: int) -> int:
    """Raise this process's limit of open files as far as so many attempts at a time need.

    Children inherit it, which harms only code that counts on a small one (``select.select``); so it is
    left alone where it is enough.

    Args:
        attempts: At a time.

    Returns:
        As many of them as the system allows; the others have to wait their turn.
    """
    needed = _BASE + _PER_ATTEMPT * attempts
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return attempts
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return min(attempts, max(1, (allowed - _BASE) // _PER_ATTEMPT))
