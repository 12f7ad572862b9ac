"""Questions to a person at the terminal."""

import sys


def ask(question: str) -> bool:
    """Ask for a yes; False where nobody sits at the terminal, or for any other answer."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
