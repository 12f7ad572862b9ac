"""Modules of Metaflow's that few import: what of each is there, and where it comes from."""

from typing import Dict, Mapping

_CONFIGS = {
    "Config": "headway:Config",
    "ConfigValue": "headway:ConfigValue",
    "config_expr": "headway:config_expr",
}
_RUNNERS = {
    "ExecutingRun": "headway:ExecutingRun",
    "ExecutingTask": "headway:ExecutingTask",
    "Runner": "headway:Runner",
}
_PARSERS = {
    name: f"headway:{name}"
    for name in ("conda_environment_yml_parser", "pyproject_toml_parser", "requirements_txt_parser")
}
_KUBERNETES = {"KubernetesException": "headway.errors:ClusterConfigurationError"}


def _never(*names: str) -> Dict[str, str]:
    return {name: f"metaflow._never:{name}" for name in names}


def _components(*names: str) -> Dict[str, str]:
    return dict.fromkeys(names, "headway.flow.cards:NoCard")


#: By module, without "metaflow.": for each name where it comes from.
RARE: Mapping[str, Mapping[str, str]] = {
    "client.filecache": _never("FileCacheException"),
    "datastore": {},
    "datastore.exceptions": {
        "UnpicklableArtifactException": "headway.store.unpicklable:UnpicklableArtifactError",
        **_never("DataException"),
    },
    "events": {
        "MetaflowEvent": "headway.client.trigger:TriggerEvent",
        "Trigger": "headway.client.trigger:Trigger",
    },
    "includefile": {"IncludeFile": "headway:IncludeFile"},
    "metaflow_environment": _never("InvalidEnvironmentException"),
    "metaflow_profile": {"profile": "headway:profile"},
    "packaging_sys": {"ContentType": "headway.flow.packaged:ContentType"},
    "plugins.airflow": {},
    "plugins.airflow.exception": _never("AirflowException", "NotSupportedException"),
    "plugins.argo": {},
    "plugins.argo.argo_events": {
        "ArgoEvent": "headway.flow.events:ArgoEvent", **_never("ArgoEventException"),
    },
    "plugins.argo.argo_workflows": _never(
        "ArgoWorkflowsException", "ArgoWorkflowsSchedulingException", "ArgoWorkflowsSensorCleanupException"
    ),
    "plugins.aws": {},
    "plugins.aws.batch": {},
    "plugins.aws.batch.batch": _never("BatchException", "BatchKilledException"),
    "plugins.aws.step_functions": {},
    "plugins.aws.step_functions.step_functions": _never(
        "StepFunctionsException", "StepFunctionsSchedulingException"
    ),
    "plugins.cards": {},
    "plugins.cards.card_client": {"get_cards": "headway.flow.cards:get_cards"},
    "plugins.cards.card_modules": _components("MetaflowCard", "MetaflowCardComponent"),
    "plugins.cards.card_modules.card": _components("MetaflowCard", "MetaflowCardComponent"),
    "plugins.cards.card_modules.components": _components(
        "Artifact", "Error", "EventsTimeline", "Image", "JSONViewer", "Markdown", "MetaflowCardComponent",
        "ProgressBar", "PythonCode", "Table", "UserComponent", "ValueBox", "VegaChart", "YAMLViewer",
    ),
    "plugins.cards.exception": _never(
        "CardClassFoundException", "CardNotPresentException", "ComponentOverwriteNotSupportedException",
        "IncorrectArgumentException", "IncorrectCardArgsException", "IncorrectPathspecException",
        "TaskNotFoundException", "TypeRequiredException", "UnrenderableCardException",
        "UnresolvableDatastoreException",
    ),
    "datatools.local": _never("MetaflowLocalNotFound", "MetaflowLocalURLException"),
    "plugins.datatools.local": _never("MetaflowLocalNotFound", "MetaflowLocalURLException"),
    "plugins.kubernetes.kube_utils": _KUBERNETES,
    "plugins.kubernetes.kubernetes_client": _never("KubernetesClientException"),
    "plugins.kubernetes.kubernetes_decorator": _KUBERNETES,
    "plugins.kubernetes.kubernetes_job": _never("KubernetesJobException"),
    "plugins.kubernetes.kubernetes_jobsets": _never("KubernetesJobsetException"),
    "plugins.metadata_providers": {},
    "plugins.metadata_providers.service": _never("ServiceException"),
    "plugins.package_sources": {"package_sources": "headway:package_sources"},
    "plugins.package_suffixes_mutator": {"package_suffixes": "headway.flow.packaged:package_suffixes"},
    "plugins.parsers": {"yaml_parser": "headway:yaml_parser"},
    "plugins.pypi": {},
    "plugins.pypi.conda_environment": _never("CondaEnvironmentException"),
    "plugins.pypi.parsers": {**_PARSERS, "ParserValueError": "headway.errors:UsageError"},
    "plugins.uv": {},
    "plugins.uv.uv_environment": _never("UVException"),
    "pylint_wrapper": _never("PyLintWarn"),
    "runner.metaflow_runner": _RUNNERS,
    "runner.nbrun": {"NBRunner": "headway:NBRunner", **_never("NBRunnerInitializationError")},
    "runner.subprocess_manager": _never("LogReadTimeoutError"),
    "tagging_util": {
        "MAX_TAG_SIZE": "headway.store.tags:MAX_LENGTH",
        "MAX_USER_TAG_SET_SIZE": "headway.store.tags:MAX_TAGS",
        "MetaflowTaggingError": "headway.errors:TaggingError",
    },
    "user_configs": {},
    "user_configs.config_parameters": _CONFIGS,
    "user_decorators": {},
    "user_decorators.mutable_flow": {"MutableFlow": "headway:MutableFlow"},
    "user_decorators.mutable_step": {"MutableStep": "headway:MutableStep"},
    "user_decorators.user_flow_decorator": {"FlowMutator": "headway:FlowMutator"},
    "user_decorators.user_step_decorator": {
        name: f"headway:{name}"
        for name in ("USER_SKIP_STEP", "StepMutator", "UserStepDecorator", "user_step_decorator")
    },
    "util": {"get_username": "headway.client.namespaces:user_name"},
}  # fmt: skip

#: Those whose names are decided by what is left to others: the name in whose place the same is to be used.
LEFT = {"runner.deployer": "Deployer", "runner.nbdeploy": "NBDeployer"}
