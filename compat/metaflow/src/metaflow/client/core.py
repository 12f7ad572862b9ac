"""The same names as in :mod:`metaflow.client`, where Metaflow defines them."""

from metaflow._aliases import aliases

__getattr__, __dir__ = aliases(
    __name__,
    {
        "DataArtifact": "headway.client:DataArtifact",
        "Flow": "headway.client:Flow",
        "Metadata": "headway.client:Metadata",
        "Metaflow": "headway.client:Headway",
        "MetaflowCode": "headway.client:MetaflowCode",
        "MetaflowData": "headway.client.artifact:Values",
        "MetaflowObject": "headway.client.entity:Entity",
        "Run": "headway.client:Run",
        "Step": "headway.client:Step",
        "Task": "headway.client:Task",
        "current": "headway:current",
        "default_metadata": "headway.client:default_metadata",
        "default_namespace": "headway.client:default_namespace",
        "get_metadata": "headway.client:get_metadata",
        "get_namespace": "headway.client:get_namespace",
        "inspect_spin": "headway.client:inspect_spin",
        "metadata": "headway.client:metadata",
        "namespace": "headway.client:namespace",
    },
)
