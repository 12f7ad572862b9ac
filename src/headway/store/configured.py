"""The address of a store's server that a configuration file has, for what reads variables only."""

import os


def tell_address() -> None:
    """Set the variable for the address where a file has it and no variable; tasks are given variables."""
    if "HEADWAY_IN_TASK" in os.environ:
        return
    try:
        # Not in a pod.
        from headway.config.general import name_store
        from headway.config.sources import Configuration
    except ImportError:
        return
    name_store(Configuration.load(os.environ, os.getcwd()))
