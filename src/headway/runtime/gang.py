"""The environment that tells one rank of a gang of the others, under the names that its libraries read."""

from typing import Dict

from headway.store.batch import Batch, Gang, TaskSpec


def environment(batch: Batch, task: TaskSpec, gang: Gang) -> Dict[str, str]:
    """The variables of one rank.

    ``MF_*`` and ``UBF_CONTEXT`` are what Metaflow's users know; ``MASTER_ADDR`` and its like are
    PyTorch's ``env://``, ``PET_*`` the defaults of torchrun's own options. ``JAX_COORDINATOR_ADDRESS`` is
    read by ``jax.distributed.initialize()``, which wants the two others as its arguments. ``LOCAL_RANK``
    is left out: it is for whoever starts several processes on one node to say. Addresses are plain IP
    addresses, v6 ones without brackets, as sockets and PyTorch take them; beside a port, in one text,
    v6 ones stand in brackets.

    Args:
        batch: The batch; its tasks are the ranks in order.
        task: Which of them.
        gang: Where they meet, its address known by now.
    """
    rank, world = batch.tasks.index(task), len(batch.tasks)
    address, port = gang.address, str(gang.port)
    host = f"[{address}]" if ":" in address else address
    found = {
        "MF_PARALLEL_MAIN_IP": address,
        "MF_PARALLEL_NUM_NODES": str(world),
        "MF_PARALLEL_NODE_INDEX": str(rank),
        "MF_PARALLEL_CONTROL_TASK_ID": batch.tasks[0].task,
        "MF_MASTER_ADDR": address,
        "MF_MASTER_PORT": port,
        "MF_WORLD_SIZE": str(world),
        # Numbered as in the reference: the first of each kind is 0.
        "MF_WORKER_REPLICA_INDEX": str(max(0, rank - 1)),
        "UBF_CONTEXT": "ubf_task" if rank else "ubf_control",
        "MASTER_ADDR": address,
        "MASTER_PORT": port,
        "WORLD_SIZE": str(world),
        "RANK": str(rank),
        "NODE_RANK": str(rank),
        "PET_NNODES": str(world),
        "PET_NODE_RANK": str(rank),
        "PET_MASTER_ADDR": address,
        "PET_MASTER_PORT": port,
        "JAX_COORDINATOR_ADDRESS": f"{host}:{port}",
        "JAX_NUM_PROCESSES": str(world),
        "JAX_PROCESS_ID": str(rank),
    }
    if rank == 0:
        found["MF_CONTROL_INDEX"] = "0"
    return found
