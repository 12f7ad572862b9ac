"""Packages for steps (``@pypi``): what a step asks for, its resolution on this machine, and its way to the pods."""
