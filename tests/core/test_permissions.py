"""The one table: which role may do what."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from taskhub.core import permissions, roles
from taskhub.core.errors import Forbidden, NotSignedIn
from taskhub.core.permissions import ACTIONS, allows, require
from taskhub.core.roles import ROLES, create_roles, role_of
from tests.support import make_user

pytestmark = pytest.mark.django_db

VIEWER = {
    "job.view", "execution.view", "output.view", "runspace.view", "pool.view", "task.view", "app.view", "engine.view",
    "language.view",
}  # fmt: skip
OPERATOR = VIEWER | {
    "job.start",
    "job.stop",
    "job.remove",
    "job.edit",
    "task.run",
    "task.switch",
    "task.remove",
    "app.switch",
}
AUTHOR = OPERATOR | {"job.create", "job.view_code", "task.view_code", "task.edit", "app.manage"}
SYSTEM_ADMIN = AUTHOR | {
    "job.kill_now", "runspace.diagnose", "runspace.close", "pool.edit", "audit.view", "settings.view", "settings.edit",
    "token.manage", "user.manage",
}  # fmt: skip
TABLE = {"viewer": VIEWER, "operator": OPERATOR, "author": AUTHOR, "system_admin": SYSTEM_ADMIN}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_its_row_says_and_nothing_else(role):
    user = make_user(role=role)
    assert {action for action in ACTIONS if allows(user, action)} == TABLE[role]


def test_the_table_is_complete():
    assert set(ACTIONS) == SYSTEM_ADMIN
    assert all(action.count(".") == 1 for action in ACTIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scope", ROLES)
def test_a_token_may_do_what_both_its_user_and_its_scope_may(role, scope):
    user = make_user(role=role)
    token = SimpleNamespace(scope=scope)
    assert {action for action in ACTIONS if allows(user, action, token=token)} == TABLE[role] & TABLE[scope]


def test_a_token_without_scope_may_do_what_its_user_may():
    user = make_user(role="operator")
    assert {action for action in ACTIONS if allows(user, action, token=SimpleNamespace(scope=""))} == OPERATOR


def test_a_superuser_is_a_system_admin():
    user = make_user(superuser=True)
    assert role_of(user) == "system_admin"
    assert all(allows(user, action) for action in ACTIONS)


@pytest.mark.parametrize("make", [lambda: AnonymousUser(), lambda: make_user()], ids=["anonymous", "no role"])
def test_without_a_role_the_table_allows_nothing(make):
    user = make()
    assert role_of(user) is None
    assert not any(allows(user, action) for action in ACTIONS)


@pytest.mark.parametrize("options", [{"role": "system_admin"}, {"superuser": True}])
def test_who_is_switched_off_may_do_nothing(options):
    user = make_user(**options)
    user.is_active = False
    assert role_of(user) is None
    assert not any(allows(user, action) for action in ACTIONS)


def test_the_strongest_of_several_roles_counts():
    create_roles()
    user = make_user()
    user.groups.set(Group.objects.filter(name__in=["viewer", "author"]))
    assert role_of(user) == "author"


def test_other_groups_give_no_role():
    user = make_user()
    user.groups.add(Group.objects.create(name="admin"))
    assert role_of(user) is None


def test_the_role_is_looked_up_once(django_assert_num_queries):
    user = make_user(role="viewer")
    with django_assert_num_queries(1):
        for action in ACTIONS:
            allows(user, action)


def test_an_action_nobody_knows_is_a_fault():
    with pytest.raises(KeyError):
        allows(make_user(superuser=True), "job.explode")


def test_require_tells_the_anonymous_from_those_who_may_not():
    with pytest.raises(NotSignedIn, match=r"job\.create: expected a signed-in user"):
        require(AnonymousUser(), "job.create")
    with pytest.raises(
        Forbidden, match=r"job\.create: expected one of the roles author, system_admin, got viewer"
    ):
        require(make_user(role="viewer"), "job.create")
    with pytest.raises(Forbidden, match="got no role"):
        require(make_user(), "job.create")
    with pytest.raises(Forbidden, match="got author with a token for viewer"):
        require(make_user(role="author"), "job.create", token=SimpleNamespace(scope="viewer"))
    require(make_user(role="author"), "job.create")


def test_roles_are_made_once():
    create_roles()
    create_roles()
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


def test_a_weaker_role_never_may_what_a_stronger_may_not():
    for weaker, stronger in zip(roles.ROLES, roles.ROLES[1:], strict=False):
        assert all(stronger in allowed for allowed in permissions.ACTIONS.values() if weaker in allowed)
