"""What one rank of a gang is told of the others."""

from runtime_cases import make_batch

from headway.runtime.commit import record_of
from headway.runtime.gang import environment
from headway.store.batch import Gang, TaskSpec

GANG = Gang(29500, 60.0, "10.0.0.7")
BATCH = make_batch("train", gang=GANG, tasks=0)._replace(
    tasks=(TaskSpec("4", 0, 0), TaskSpec("4-worker-0", 0, 1), TaskSpec("4-worker-1", 0, 2))
)


def test_each_rank_knows_where_it_stands_and_where_rank_0_is() -> None:
    told = [environment(BATCH, task, GANG) for task in BATCH.tasks]
    for rank, env in enumerate(told):
        assert {env[name] for name in ("RANK", "NODE_RANK", "MF_PARALLEL_NODE_INDEX", "JAX_PROCESS_ID")} == {
            str(rank)
        }
        assert {env[name] for name in ("WORLD_SIZE", "MF_PARALLEL_NUM_NODES", "PET_NNODES")} == {"3"}
        assert env["MASTER_ADDR"] == env["MF_PARALLEL_MAIN_IP"] == "10.0.0.7"
        assert env["JAX_COORDINATOR_ADDRESS"] == "10.0.0.7:29500"
        assert env["MF_PARALLEL_CONTROL_TASK_ID"] == "4"
        assert "LOCAL_RANK" not in env
    assert [env["UBF_CONTEXT"] for env in told] == ["ubf_control", "ubf_task", "ubf_task"]
    assert [env["MF_WORKER_REPLICA_INDEX"] for env in told] == ["0", "0", "1"]
    assert [env.get("MF_CONTROL_INDEX") for env in told] == ["0", None, None]


def test_an_address_with_colons_stands_in_brackets_beside_its_port_only() -> None:
    gang = GANG._replace(address="fd00::7")
    told = environment(BATCH, BATCH.tasks[1], gang)
    assert told["JAX_COORDINATOR_ADDRESS"] == "[fd00::7]:29500"
    assert told["MASTER_ADDR"] == told["PET_MASTER_ADDR"] == told["MF_PARALLEL_MAIN_IP"] == "fd00::7"


def test_the_record_says_which_rank_it_is_of() -> None:
    facts = [record_of(BATCH, task, None, None, {}, 0.0, 0.0, {}).metadata for task in BATCH.tasks]
    assert facts[0] == {
        "parallel-world-size": "3",
        "parallel-node-index": "0",
        "internal_task_type": "control_task",
    }
    assert facts[2] == {"parallel-world-size": "3", "parallel-node-index": "2"}
