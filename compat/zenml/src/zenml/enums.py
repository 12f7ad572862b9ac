"""ZenML's words for what a step or pipeline can be given."""

from zenml._missing import missing

__all__ = ["ArtifactType", "ExecutionMode", "StepType"]


class ExecutionMode:
    """What becomes of a run once a step has failed for good: here it is stopped."""

    FAIL_FAST = "fail_fast"
    STOP_ON_FAILURE = "stop_on_failure"
    CONTINUE_ON_FAILURE = "continue_on_failure"


class StepType:
    """What a step is called on a dashboard."""

    LLM_CALL = "llm_call"
    MEMORY_CALL = "memory_call"
    TOOL_CALL = "tool_call"


class ArtifactType:
    """What an output is called on a dashboard."""

    BASE = "BaseArtifact"
    DATA = "DataArtifact"
    DATA_ANALYSIS = "DataAnalysisArtifact"
    MODEL = "ModelArtifact"
    SCHEMA = "SchemaArtifact"
    SERVICE = "ServiceArtifact"
    STATISTICS = "StatisticsArtifact"


__getattr__ = missing(__name__)
