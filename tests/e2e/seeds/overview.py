"""The table for document 000: Kubernetes from a first flow to its errors."""

from seeds.case import ANY_NODE, Case, on_any_node

OVERVIEW = (
    Case(
        "000: The @kubernetes decorator executes a step on a Kub",
        helpers="""
def train_model():
    return [1, 2]

def save_model(model):
    return f"/models/{len(model)}"
""",
        prints=("Model saved to /models/2",),
    ),
    Case("000: Simple Kubernetes Step", prints=("Running on Kubernetes", "Back to local execution")),
    Case("000: Specify Resources", helpers="def train_gpu_model():\n    return 'a model'"),
    Case(
        "000: Use Custom Docker Image",
        files={"custom_library.py": "def process():\n    print('processed')\n"},
        prints=("processed",),
    ),
    Case("000: Resource Allocation"),
    Case("000: Container Configuration", needs=("serviceaccount ml-service-account", "secret regcred")),
    Case(
        "000: Scheduling and Placement",
        fits=(("'node.type': 'gpu', 'zone': 'us-west-2a'", ANY_NODE),),
    ),
    Case("000: Storage Configuration", needs=("claim data-pvc",)),
    Case("000: Advanced Options"),
    Case("000: Use @resources for portability across platforms"),
    Case(
        "000: GPU Support",
        helpers="""
class MyModel:
    def to(self, device):
        return f"a model on {device}"

def train(model):
    print("trained", model)
""",
        files={"torch.py": "def device(name):\n    return name\n"},
        fits=(("'accelerator': 'nvidia-tesla-v100'", ANY_NODE),),
        prints=("trained a model on cuda",),
    ),
    Case(
        "000: Kubernetes allows explicit disk size control",
        helpers="""
class load_huge_dataset:
    def to_parquet(self, path):
        with open(path, "wb") as file:
            print("wrote", file.write(bytes(1000)))
""",
        prints=("wrote 1000",),
    ),
    Case(
        "000: Kubernetes supports distributed multi-node jobs",
        helpers="def train_distributed():\n    pass",
        files={
            "torch/__init__.py": "",
            "torch/distributed.py": "def init_process_group(**how):\n    print(how['init_method'], how['world_size'])\n",
        },
        prints=("Node 0 of 4", "Node 3 of 4", "Control task ID: 2", ":29500 4", "Completed 4 parallel tasks"),
    ),
    Case("000: Target specific nodes", fits=(on_any_node("n1-standard-8", "us-central1-a"),)),
    Case(
        "000: Or use string format",
        fits=(("instance-type=n1-standard-8,zone=us-central1-a", "kubernetes.io/os=linux"),),
    ),
    Case("000: Schedule on tainted nodes"),
    Case(
        "000: Control resource guarantees",
        completes=(("highest priority\n    pass", "highest priority\n    self.next(self.flexible_step)"),),
    ),
    Case(
        "000: Mount existing PVCs",
        helpers="""
import os

def load_from_disk(path):
    return [os.path.ismount(place) for place in ("/mnt/data", "/mnt/models", "/mnt/cache")]

class train:
    def __init__(self, data):
        self.data = data

    def save(self, path):
        with open(path, "w") as file:
            file.write(f"{self.data}")
        print("mounted", *self.data)
""",
        needs=("claim data-pvc", "claim models-pvc", "claim cache-pvc"),
        prints=("mounted True True True",),
    ),
    Case(
        "000: Tmpfs for Fast I/O",
        helpers="large_data = 'x' * 1000",
        fits=(("f.write(large_data)", "f.write(large_data)\n        print('written to', f.name)"),),
        prints=("written to /fast-tmp/",),
    ),
    Case("000: Shared Memory"),
    Case("000: Build and use custom images", files={"tensorflow.py": ""}, needs=("secret regcred",)),
    Case("000: Access private registries", needs=("secret regcred",)),
    Case(
        "000: Service Accounts",
        files={
            "kubernetes.py": """
class config:
    def load_incluster_config():
        with open("/var/run/secrets/kubernetes.io/serviceaccount/token") as file:
            assert file.read()


class client:
    class CoreV1Api:
        def list_pod_for_all_namespaces(self):
            print("asked")
            return []
"""
        },
        needs=("serviceaccount ml-service-account",),
        prints=("asked",),
    ),
    Case(
        "000: Automatic Retries",
        helpers="""
from metaflow import current

def potentially_failing_operation():
    print("try", current.retry_count)
    assert current.retry_count > 0
""",
        # Two minutes between tries are the default.
        fits=(("times=3", "times=3, minutes_between_retries=0"),),
        prints=("try 0", "try 1", "Task is starting (attempt 2)."),
    ),
    Case("000: Timeout Protection", helpers="def expensive_computation():\n    pass"),
    Case(
        "000: Handle SIGTERM for graceful termination",
        helpers="""
def save_checkpoint():
    pass

def train_with_checkpoints():
    print("handler", signal.getsignal(signal.SIGTERM).__name__)
""",
        prints=("handler signal_handler",),
    ),
)
