"""Roles and bindings."""

from __future__ import annotations

import pytest

from headway.localcluster.api.authorization import Action, Authorizer
from headway.localcluster.api.identity import User
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from headway.localcluster.objects.store import Store

ACCOUNT = User("system:serviceaccount:n:runner", ("system:serviceaccounts",))


@pytest.fixture
def store() -> Store:
    made = Store()
    rules = [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["mine"]},
    ]
    made.create(ROLE, {"metadata": {"name": "r", "namespace": "n", "uid": "1"}, "rules": rules})
    subjects = [{"kind": "ServiceAccount", "name": "runner"}]
    made.create(
        ROLE_BINDING,
        {
            "metadata": {"name": "b", "namespace": "n", "uid": "2"},
            "subjects": subjects,
            "roleRef": {"kind": "Role", "name": "r"},
        },
    )
    return made


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        (Action("create", "batch", "jobs", "n"), True),
        (Action("delete", "batch", "jobs", "n", "j"), False),
        (Action("create", "batch", "jobs", "other"), False),
        (Action("create", "batch", "jobs"), False),
        (Action("get", "", "pods/log", "n", "p"), True),
        (Action("get", "", "pods", "n", "p"), False),
        (Action("get", "", "secrets", "n", "mine"), True),
        (Action("get", "", "secrets", "n", "yours"), False),
    ],
)
def test_what_a_role_allows(store: Store, action: Action, allowed: bool) -> None:
    assert Authorizer(store).allowed(ACCOUNT, action) is allowed


def test_the_words_of_a_refusal(store: Store) -> None:
    with pytest.raises(ApiError) as caught:
        Authorizer(store).check(ACCOUNT, Action("delete", "batch", "jobs", "n", "j"))
    assert caught.value.code == 403
    assert caught.value.message == (
        'jobs.batch "j" is forbidden: User "system:serviceaccount:n:runner" cannot delete resource "jobs" '
        'in API group "batch" in the namespace "n"'
    )


def test_cluster_roles_hold_everywhere(store: Store) -> None:
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["list"]}]
    store.create(CLUSTER_ROLE, {"metadata": {"name": "view", "uid": "3"}, "rules": rules})
    store.create(
        CLUSTER_ROLE_BINDING,
        {
            "metadata": {"name": "v", "uid": "4"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}],
            "roleRef": {"kind": "ClusterRole", "name": "view"},
        },
    )
    assert Authorizer(store).allowed(ACCOUNT, Action("list", "", "nodes"))
    assert not Authorizer(store).allowed(ACCOUNT, Action("get", "", "nodes", "", "a"))


def test_the_administrator_may_do_everything() -> None:
    assert Authorizer(Store()).allowed(User("admin", ("system:masters",)), Action("delete", "", "nodes"))
