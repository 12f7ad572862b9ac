"""The table for document 003: steps that are functions, and the settings of ZenML's step operator."""

from seeds.case import ANY_NODE, Case

_SETTINGS = """
from zenml.integrations.kubernetes.flavors import KubernetesStepOperatorSettings
from kubernetes.client.models import V1Toleration

kubernetes_settings = KubernetesStepOperatorSettings(
    pod_settings={
        "node_selectors": {
            "cloud.google.com/gke-nodepool": "ml-pool",
            "kubernetes.io/arch": "amd64"
        },
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {
                                    "key": "gpu-type",
                                    "operator": "In",
                                    "values": ["nvidia-tesla-v100", "nvidia-tesla-p100"]
                                }
                            ]
                        }
                    ]
                }
            }
        },
        "tolerations": [
            V1Toleration(key="gpu", operator="Equal", value="true", effect="NoSchedule")
        ],
        "resources": {
            "requests": {
                "cpu": "2",
                "memory": "4Gi",
                "nvidia.com/gpu": "1"
            },
            "limits": {
                "cpu": "4",
                "memory": "8Gi",
                "nvidia.com/gpu": "1"
            }
        },
        "annotations": {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": "8080"
        },
        "volumes": [
            {
                "name": "data-volume",
                "persistentVolumeClaim": {
                    "claimName": "ml-data-pvc"
                }
            },
            {
                "name": "config-volume",
                "configMap": {
                    "name": "ml-config"
                }
            }
        ],
        "volume_mounts": [
            {
                "name": "data-volume",
                "mountPath": "/mnt/data"
            },
            {
                "name": "config-volume",
                "mountPath": "/etc/ml-config",
                "readOnly": True
            }
        ],
        "host_ipc": True,
        "image_pull_secrets": ["regcred", "gcr-secret"],
        "labels": {
            "app": "ml-pipeline",
            "environment": "production",
            "team": "data-science"
        }
    }
)

@step(
    settings={
        "step_operator": kubernetes_settings
    }
)
def my_kubernetes_step():
    pass
"""

_TRAINER = '''
from zenml import step

@step(step_operator="kubernetes")
def trainer(...) -> ...:
    """Train a model."""
    # This step will be executed in Kubernetes.
'''

_NO_GPU = ',\n                "nvidia.com/gpu": "1"'

OPERATOR = (
    Case(
        "003: Once you added the step operator to your active st",
        repaired=_TRAINER,
        # What it is called with and returns is the reader's.
        completes=(("(...) -> ...", "() -> str"), ("in Kubernetes.", "in Kubernetes.\n    return 'trained'")),
    ),
    Case(
        "003: • service_account_name: The name of the service ac",
        repaired=_SETTINGS,
        # As the document has it, the step names no operator: its settings count where it is sent.
        late=("kubernetes",),
        fits=(
            (
                '"cloud.google.com/gke-nodepool": "ml-pool",\n            "kubernetes.io/arch": "amd64"',
                ANY_NODE,
            ),
            ('"key": "gpu-type"', '"key": "kubernetes.io/os"'),
            ('["nvidia-tesla-v100", "nvidia-tesla-p100"]', '["linux"]'),
            (_NO_GPU, ""),
            ('"cpu": "2"', '"cpu": "20m"'),
            ('"memory": "4Gi"', '"memory": "64Mi"'),
            ('"cpu": "4"', '"cpu": "1"'),
            ('"memory": "8Gi"', '"memory": "128Mi"'),
        ),
        needs=("claim ml-data-pvc", "configmap ml-config", "secret regcred", "secret gcr-secret"),
    ),
)
