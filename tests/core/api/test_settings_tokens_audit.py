"""Settings, tokens and audit over REST."""

import pytest
from rest_framework.test import APIClient

from taskhub.core import runtime_settings, tokens
from taskhub.core.models import ApiToken, AuditEntry
from tests.support import NOON, make_job, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forget():
    yield
    runtime_settings.forget_cached()


def test_a_setting_changes_at_once_and_can_be_reset(api_admin):
    path = "/api/v1/settings/default_timeout"
    answer = api_admin.patch(path, {"value": 120}, format="json").json()
    assert (answer["value"], answer["default"], answer["source"], answer["updated_by"]) == (
        120,
        600,
        "database",
        "admin",
    )
    assert runtime_settings.get("default_timeout") == 120
    back = api_admin.post(f"{path}/reset").json()
    assert (back["value"], back["source"]) == (600, "default")
    assert runtime_settings.get("default_timeout") == 600
    assert AuditEntry.objects.filter(action="settings.change").count() == 2


def test_all_seven_settings_are_listed(api_admin):
    answer = api_admin.get("/api/v1/settings").json()
    assert answer["count"] == 7
    assert [row["name"] for row in answer["results"]] == list(runtime_settings.DEFINITIONS)


@pytest.mark.parametrize("value", [None, "10", 1.5, 0, -1, True, [], {}, 10**30])
def test_a_value_that_is_none_for_the_setting_changes_nothing(api_admin, value):
    response = api_admin.patch("/api/v1/settings/max_concurrent_tasks", {"value": value}, format="json")
    assert response.status_code == 400 and "expected a " in response.json()["error"]
    assert runtime_settings.get("max_concurrent_tasks") == 10


class TestTokens:
    def test_a_token_is_shown_once_and_opens_the_api(self, api_as):
        user = make_user(role="viewer")
        made = api_as(user=user).post("/api/v1/tokens", {"name": "laptop", "days": 7}, format="json")
        assert made.status_code == 201
        text = made.json()["token"]
        assert made.json()["prefix"] == text[: len(made.json()["prefix"])]
        listed = api_as(user=user).get("/api/v1/tokens")
        assert listed.json()["count"] == 1
        assert text not in listed.content.decode()
        assert not ApiToken.objects.filter(digest__contains=text).exists()
        bearer = APIClient(headers={"Authorization": f"Bearer {text}"})
        make_job()
        assert bearer.get("/api/v1/jobs").json()["count"] == 1
        assert text not in str(AuditEntry.objects.values_list("after", "message"))

    def test_a_revoked_one_opens_nothing(self, api_as):
        user = make_user(role="viewer")
        token, text = tokens.create(user, name="old", now=NOON)
        assert api_as(user=user).delete(f"/api/v1/tokens/{token.pk}").status_code == 204
        assert api_as(user=user).delete(f"/api/v1/tokens/{token.pk}").status_code == 204
        assert APIClient(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/jobs").status_code == 401
        assert AuditEntry.objects.filter(action="token.revoke").count() == 1

    def test_others_are_for_a_system_admin(self, api_as, api_admin):
        user, other = make_user(role="author"), make_user("other", role="viewer")
        tokens.create(other, name="theirs", now=NOON)
        for query in ("?user=other", "?user=*"):
            assert api_as(user=user).get(f"/api/v1/tokens{query}").status_code == 403
            assert api_admin.get(f"/api/v1/tokens{query}").json()["count"] == 1
        body = {"name": "for you", "user": "other"}
        assert api_as(user=user).post("/api/v1/tokens", body, format="json").status_code == 403
        assert api_admin.post("/api/v1/tokens", body, format="json").json()["user"] == "other"
        body["user"] = "nobody"
        assert api_admin.post("/api/v1/tokens", body, format="json").json()["fields"] == {
            "user": "no such user"
        }

    def test_a_bounded_token_makes_none_that_may_do_more(self, api_admin):
        admin = make_user("boss", superuser=True)
        _, text = tokens.create(admin, name="narrow", scope="operator", now=NOON)
        bearer = APIClient(headers={"Authorization": f"Bearer {text}"})
        for scope in ("", "author", "system_admin"):
            assert (
                bearer.post("/api/v1/tokens", {"name": "x", "scope": scope}, format="json").status_code == 403
            )
        for scope in ("operator", "viewer"):
            assert (
                bearer.post("/api/v1/tokens", {"name": "x", "scope": scope}, format="json").status_code == 201
            )
        assert bearer.get("/api/v1/settings").status_code == 403

    @pytest.mark.parametrize(
        "body",
        [{}, {"name": ""}, {"name": " "}, {"name": 1}, {"name": "n" * 101}, {"name": "x", "days": 0},
         {"name": "x", "days": "7"}, {"name": "x", "days": 10**6}, {"name": "x", "scope": "king"},
         {"name": "x", "scope": None}],
        ids=str,
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused(self, api_admin, body):
        assert api_admin.post("/api/v1/tokens", body, format="json").status_code == 400
        assert not ApiToken.objects.exists()


def test_the_audit_is_found_by_actor_action_object_result_and_time(api_admin):
    for n, (actor, action, result) in enumerate(
        [("ann", "job.cancel", "ok"), ("ann", "job.create", "refused"), ("engine", "task.disable", "ok")]
    ):
        AuditEntry.objects.create(
            at=NOON.replace(hour=n), actor=actor, action=action, result=result, object_type=action.partition(".")[0],
            object_id=str(n), before={"password": "********"},
        )  # fmt: skip

    def found(query):
        return [row["object_id"] for row in api_admin.get(f"/api/v1/audit?{query}").json()["results"]]

    assert found("") == ["2", "1", "0"]
    assert found("actor=ann") == found("action=job.") == found("object_type=job") == ["1", "0"]
    assert found("action=job.cancel") == found("object_id=0&object_type=job") == ["0"]
    assert found("result=refused") == ["1"]
    assert found("after=2026-03-10T01:00:00Z&before=2026-03-10T02:00:00Z") == ["1"]


def test_the_audit_can_be_read_only(api_admin):
    entry = AuditEntry.objects.create(at=NOON, actor="a", action="b")
    for method in ("put", "patch", "delete", "post"):
        assert getattr(api_admin, method)(f"/api/v1/audit/{entry.pk}", {}, format="json").status_code == 405
    assert AuditEntry.objects.count() == 1
