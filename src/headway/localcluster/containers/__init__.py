"""The container runtime: processes that stand for containers, and the small supervisor that holds them.

The supervisor is forked from the daemon before anything else is loaded. Where the kernel allows it, it is
the first process of its own user, mount and process namespaces; each container is the first process of a
process namespace below that. So a container sees its volumes at their absolute paths, its first process
gets signals as in any container, and the death of the supervisor or of the daemon ends every process.
"""
