"""The table for document 003: the settings of ZenML's step operator, which ``@kubernetes`` takes too."""

from seeds.case import ANY_NODE, Case

_SETTINGS = """
@kubernetes(
    **{
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
            {"key": "gpu", "operator": "Equal", "value": "true", "effect": "NoSchedule"}
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
@step
def my_kubernetes_step(self):
    pass
"""

_NO_GPU = ',\n                    "nvidia.com/gpu": "1"'

OPERATOR = (
    Case(
        "003: • service_account_name: The name of the service ac",
        # Given to @kubernetes: what ZenML calls a step's operator settings comes with its pipelines.
        repaired=_SETTINGS,
        fits=(
            (
                '"cloud.google.com/gke-nodepool": "ml-pool",\n                "kubernetes.io/arch": "amd64"',
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

#: What the document's snippets say beyond that, and why nothing of it can be run yet.
NOT_BUILT = {
    "003: Once you added the step operator to your active st": (
        "pipeline",
        "a step that is a function outside any class belongs to a pipeline, and pipelines are not built yet",
    ),
}
#: Lines of the repaired snippet's document that name what is not built yet either.
WITHOUT_PLACE = (
    "from zenml.integrations.kubernetes.flavors import KubernetesStepOperatorSettings",
    "from kubernetes.client.models import V1Toleration",
    "kubernetes_settings = KubernetesStepOperatorSettings(",
    '"step_operator": kubernetes_settings',
    "def my_kubernetes_step():",
)
