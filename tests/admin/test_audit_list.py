"""The audit log calls things by their names while they are there, and by what was written down afterwards."""

from uuid import uuid4

from taskhub.core import audit
from taskhub.core.models import AuditEntry
from tests.support import NOON, make_job, make_task

LIST = "/admin/core/auditentry/"


def test_objects_are_named_and_linked(db, home, sign_in):
    task, job, gone = make_task("Backup", app="Vault"), make_job(name="<b>export"), str(uuid4())
    for kind, key in (
        ("task", str(task.pk)),
        ("task", "99999999999999999999"),
        ("job", str(job.pk)),
        ("job", gone),
        ("user", "mallory"),
        ("setting", "age_warning_seconds"),
        ("runspace", "7"),
    ):
        audit.record(actor=audit.SYSTEM, action=f"{kind}.x", object_type=kind, object_id=key, now=NOON)
    client = sign_in("system_admin")
    page = " ".join(client.get(LIST).content.decode().split())
    assert f'href="/admin/tasks_app/task/{task.pk}/change/" title="task {task.pk}">Vault/Backup</a>' in page
    assert f'href="/admin/jobs_app/job/{job.pk}/change/"' in page and "&lt;b&gt;export</a>" in page
    for written_down in ("99999999999999999999", f"…{gone[-12:]}", "mallory", "age_warning_seconds", "7"):
        assert f'<span class="th-mono">{written_down}</span>' in page
    # The link of a task's page finds its own entries, not those of a task whose number begins alike.
    page = client.get(LIST, {"object": "task", "q": "9999"}).content.decode()
    assert "99999999999999999999" not in page
    page = client.get(LIST, {"object": "task", "q": str(task.pk)}).content.decode()
    assert "Vault/Backup</a>" in page and page.count('scope="row"') == 1
    assert gone[-12:] in client.get(LIST, {"q": gone[:9]}).content.decode()
    entry = AuditEntry.objects.get(object_type="task", object_id=str(task.pk))
    page = client.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert "Vault/Backup</a>" in page and f">{task.pk}</span>" in page
