"""The clusters that the suite can run on, each a parameter of the one suite.

Another cluster is one more entry of :data:`TARGETS`: how to reach it, and how to reach into the
processes of its containers. The tests know nothing else of it.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from harness.embedded import embedded_cluster
from harness.target import Target, real_cluster

#: How to come to each cluster, given an empty folder.
TARGETS: Mapping[str, Callable[[Path], AbstractContextManager[Target]]] = {
    "embedded": embedded_cluster,
    "real": real_cluster,
}

#: Tests that one of the clusters cannot run, or that say nothing more there, with the reason.
EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    "embedded": {
        "test_case_in_pods": "the whole matrix runs on this machine, in processes as well",
        "test_pods_have_a_way_of_their_own_to_the_datastore": (
            "its pods are processes of this machine: what leads back to it leads them there as well"
        ),
        "test_a_step_has_a_home_a_name_and_temporary_files": (
            "its pods are processes of the user who started it, on the file system of this machine"
        ),
        "test_what_all_processes_of_a_container_hold_is_measured": (
            "its pods have no control groups; what is told is the largest process"
        ),
        **dict.fromkeys(
            (
                "test_every_real_cause_has_its_words_and_its_class",
                "test_what_may_mend_itself_is_told_and_waited_for",
                "test_a_full_quota_is_waited_for",
                "test_a_webhook_that_is_down_is_waited_for",
                "test_a_suspended_job_is_told_of_and_goes_on",
                "test_what_a_step_does_to_itself_spends_its_tries",
                "test_what_others_do_to_a_pod_spends_none",
                "test_an_api_server_and_a_datastore_that_are_away_cost_nothing",
                "test_how_a_pod_ended_is_told_and_counted",
                "test_a_node_that_is_gone_is_noticed_and_the_task_runs_elsewhere",
                "test_a_sidecar_that_a_webhook_adds_keeps_no_task_and_no_pod",
                "test_sidecars_keep_no_rank_and_no_split_and_end_none",
                "test_a_namespace_that_is_deleted_under_a_run_ends_its_step",
                "test_what_fails_by_the_infrastructure_is_tried_again_five_times",
                "test_a_pod_whose_node_is_deleted_is_tried_again",
                "test_gangs_of_two_launchers_that_hold_each_others_seats_both_finish",
                "test_a_pod_of_a_node_that_never_was_ends_the_run",
                "test_what_quotas_and_admission_would_say_is_told_beforehand",
                "test_a_platform_that_chooses_uids_is_left_to_it",
            ),
            "it is about what kubelets, admission and node controllers of real clusters say",
        ),
    },
    "real": {},
}
