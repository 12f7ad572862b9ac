"""A home and a name for users that the image does not know, as a platform that chooses the uid makes them."""

import os
from typing import MutableMapping


def give_home(environ: MutableMapping[str, str]) -> None:
    """Point HOME to the work folder where the image's home cannot be written, and name a user who has no name.

    Without them whatever keeps a cache or asks ``getpass.getuser()`` fails: an unknown uid's HOME is ``/``.

    Args:
        environ: The process's variables, to be changed.
    """
    home = environ.get("HOME", "")
    if not home or not os.access(home, os.W_OK | os.X_OK):
        environ["HOME"] = os.path.abspath(environ.get("HEADWAY_WORK", "/headway/work"))
    uid = os.getuid()
    if uid and not (environ.get("LOGNAME") or environ.get("USER")):
        import pwd  # most pods run as root, whom every image knows

        try:
            pwd.getpwuid(uid)
        except KeyError:
            environ["USER"] = f"uid-{uid}"
