"""The table for document 001: every argument and every variable."""

from seeds.case import Case, on_any_node

CONFIGURATION = (
    Case("001: Resource Specification"),
    Case("001: Container Configuration", needs=("secret regcred",)),
    Case(
        "001: Scheduling and Placement",
        fits=(on_any_node("g4dn.xlarge", "us-east-1a"),),
        needs=("serviceaccount custom-sa",),
    ),
    Case("001: Storage and Volumes", needs=("claim data-pvc", "claim models-pvc")),
    Case("001: Security", needs=("secret api-keys", "secret db-creds")),
    Case("001: Metadata"),
    # No node of the tests belongs to a pool.
    Case("001: Advanced Options", fits=(("compute_pool='high-priority'", "compute_pool=None"),)),
    Case(
        "001: Flow Implementation",
        environment="001: Environment Setup",
        helpers="""
def load_and_prepare_data():
    return [1, 2, 3]

def train_model(data, version):
    return {"version": version, "size": len(data)}

def evaluate_model(model):
    return {"accuracy": model["size"] / 4}
""",
        fits=(on_any_node("p3.8xlarge", "us-east-1a"),),
        needs=(
            "claim training-cache",
            "serviceaccount metaflow-runner",
            "secret regcred",
            "secret default-secrets",
        ),
        prints=("Starting training for model v1.0", "Training complete. Accuracy: 0.75"),
    ),
    Case("001: Guaranteed QoS"),
    Case("001: Burstable QoS (Default)"),
    Case(
        "001: For distributed workloads using @parallel",
        helpers="def setup_distributed(**options):\n    print(sorted(options))",
        prints=(
            "Node: 0/4",
            "Node: 3/4",
            "['master_addr', 'master_port', 'rank', 'world_size']",
        ),
    ),
    Case("001: Configure container security context"),
)
