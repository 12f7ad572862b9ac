"""What a pod loads in place of modules of the standard library: the C code beneath them, without the rest.

Loading ``json``, ``pickle``, ``signal`` and ``socket`` makes enumerations and compiles regular expressions that
no task of ours ever looks at, in every pod anew; ``collections``, ``functools``, ``threading`` and ``types`` are
large where little of them is used. The modules here offer, under the same names, what ours use of them. Nobody
imports this package by name: the archive's compiled modules are pointed to it when they are built (see
``headway.executors.kubernetes.slim``), each import whose every name is offered here. The sources, and with them pods
of another Python version, keep to the standard library. What a step itself imports is the real thing in any case.
"""
