"""The words that ``@step`` and ``@pipeline`` take, as ZenML has them: heard, without effect here, or refused.

The launcher alone asks, when a pipeline is traced.
"""

from headway.errors import FlowDefinitionError
from headway.flow.names import did_you_mean
from headway.plain import Any, Callable, Mapping, NamedTuple, Sequence, Tuple

#: Makes the error of what is wrong, with what to do about it.
Refuse = Callable[[str, str], FlowDefinitionError]

_OF_ONES_OWN = "a decorator of your own (user_step_decorator) does that"

#: What is taken and does nothing here, with what does it instead; "" for what nobody will miss.
_BOTH = {
    "cache_policy": "`resume` takes over what an earlier run has done",
    "enable_artifact_metadata": "",
    "enable_cache": "`resume` takes over what an earlier run has done",
    "enable_step_logs": "",
    "extra": "",
    "model": "what a run made is read with headway.Run",
    "on_end": _OF_ONES_OWN,
    "on_failure": _OF_ONES_OWN,
    "on_start": _OF_ONES_OWN,
    "on_success": _OF_ONES_OWN,
    "secrets": "@secrets does that, or env_from in the settings of pods",
    "substitutions": "",
}
_STEP = {
    **_BOTH,
    "enable_artifact_visualization": "",
    "experiment_tracker": "start the tracker in the step, with environment= and @secrets",
    "group": "",
    "heartbeat_healthy_threshold": "",
    "output_materializers": "outputs are pickled",
    "runtime": "",
    "step_type": "",
}
_PIPELINE = {
    **_BOTH,
    "build": "",
    "depends_on": "",
    "dynamic": "the body runs before any step does, and what depends on outputs belongs in steps",
    "enable_heartbeat": "",
    "enable_pipeline_logs": "",
    "execution_mode": "a step that fails for good stops the run",
    "on_cleanup": "",
    "on_init": "",
    "on_init_kwargs": "",
    "on_pause": "",
    "on_resume": "",
    "prevent_build_reuse": "",
    "run_name": "runs are numbered, and tags=[…] finds them again",
    "unlisted": "",
    "version": "",
}
_FILE = (
    "No file is read. Hand over what it says: training.with_options(**yaml.safe_load(open(path))), "
    "with steps=, parameters= and settings= as the file has them."
)
_REFUSED = {
    "config_path": _FILE,
    "config_file": _FILE,
    "schedule": "Start `python FILE run` from cron or a CronJob.",
}
#: What is as it is here anyway.
_AS_IT_IS = {
    "enable_cache": False,
    "enable_step_logs": True,
    "enable_pipeline_logs": True,
    "dynamic": False,
    "execution_mode": "fail_fast",
}


class Words(NamedTuple):
    """What one of the two decorators takes.

    Attributes:
        what: The decorator.
        heard: What has an effect.
        unheard: What has none, with what to use instead.
        refused: What cannot be left out, with what to do instead.
    """

    what: str
    heard: Tuple[str, ...]
    unheard: Mapping[str, str]
    refused: Mapping[str, str] = {}


STEP = Words("@step", ("environment", "name", "parameters", "retry", "settings", "step_operator"), _STEP)
PIPELINE = Words(
    "@pipeline",
    ("environment", "name", "parameters", "retry", "settings", "steps", "tags"),
    _PIPELINE,
    _REFUSED,
)


def check_words(given: Mapping[str, Any], words: Words, refuse: Refuse) -> Sequence[str]:
    """Check what a decorator was given.

    Args:
        given: Its arguments.
        words: What it takes.
        refuse: Makes errors.

    Returns:
        What has no effect, one sentence each.

    Raises:
        FlowDefinitionError: It does not take one, or cannot do without what one asks for.
    """
    notes = []
    for word, value in given.items():
        if word in words.heard or _says_nothing(word, value):
            continue
        if word in words.refused:
            raise refuse(f"is given {word}={value!r}, which {words.what} does not take.", words.refused[word])
        if word not in words.unheard:
            known = did_you_mean(word, (*words.heard, *words.unheard))
            raise refuse(f"is given {word}={value!r}, which {words.what} does not take.", known)
        instead = words.unheard[word]
        notes.append(f"{words.what}({word}=…) has no effect here{f': {instead}' if instead else ''}.")
    return notes


def _says_nothing(word: str, value: Any) -> bool:
    if value is None or (isinstance(value, (dict, list, tuple)) and not value):
        return True
    # Whatever was written is only compared with what is of its kind.
    usual = _AS_IT_IS.get(word)
    return isinstance(value, (bool, str)) and usual is not None and value == usual
