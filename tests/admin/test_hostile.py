"""Names, messages, parameters and output are text, wherever they are shown."""

import json
import re

from jobs_app.models import Execution, Job, JobSpec
from jobs_app.pages import ansi
from tests.admin.pages import PAGES
from tests.browser.demo import HOSTILE


def test_hostile_texts_are_escaped_on_every_page(rows, sign_in):
    Job.objects.update(name=HOSTILE, status_message=HOSTILE, description=HOSTILE, error_message=HOSTILE)
    Job.objects.update(error_type=HOSTILE, error_traceback=HOSTILE, survivors=HOSTILE, cancelled_by=HOSTILE)
    Job.objects.filter(pk=rows["ended"]).update(result=json.dumps({HOSTILE: HOSTILE}))
    Execution.objects.update(name=HOSTILE, error_message=HOSTILE, error_type=HOSTILE, output_preview=HOSTILE)
    client = sign_in("system_admin")
    for page in PAGES:
        answer = client.get(page.address.format(**rows))
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if answer["Content-Type"].startswith("text/html"):
            assert b"<img src=x" not in text, page.address


def test_output_is_text(rows, sign_in):
    page = sign_in("viewer").get(f"/admin/jobs_app/job/{rows['failed']}/change/").content.decode()
    assert "&lt;script&gt;alert(&#x27;no&#x27;)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_a_download_is_plain_text_to_be_saved(rows, sign_in):
    answer = sign_in("viewer").get(f"/admin/jobs_app/job/{rows['failed']}/output/")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"<script>" in b"".join(answer.streaming_content)


def test_secrets_are_masked_for_those_who_may_read_parameters(rows, sign_in):
    page = sign_in("author").get(f"/admin/jobs_app/job/{rows['ended']}/change/").content.decode()
    assert "hidden" not in re.sub(r"<[^>]*>", "", page)
    assert "********" in page


def test_marks_that_turn_the_direction_are_written_out_in_parameters(rows, sign_in):
    JobSpec.objects.filter(pk=rows["ended"]).update(parameters=json.dumps({"\u202eyek": "\u2066x"}))
    page = sign_in("author").get(f"/admin/jobs_app/job/{rows['ended']}/change/").content.decode()
    assert "\\u202eyek" in page
    assert "\\u2066x" in page
    assert "\u202e" not in page


def test_code_and_parameters_are_not_for_operators(rows, sign_in):
    for role in ("viewer", "operator"):
        page = sign_in(role).get(f"/admin/jobs_app/job/{rows['ended']}/change/").content
        assert b"csv.reader" not in page
        assert b"/srv/reports" not in page
        task = sign_in(role).get(f"/admin/tasks_app/task/{rows['task']}/change/").content
        assert b"C.UTF-8" not in task


def test_colours_become_classes_and_other_escapes_vanish():
    runs = ansi.runs("a\x1b[1;31mred\x1b[0m\x1b[2K\x1b]0;title\x07 b\x1b[38;5;200mc\x1b[48;2;1;2;3md")
    assert [(run.text, run.look) for run in runs] == [
        ("a", ""),
        ("red", "th-ansi-bold th-ansi-31"),
        (" b", ""),
        ("c", ""),
        ("d", ""),
    ]


def test_what_a_carriage_return_wrote_over_is_left_out():
    assert [run.text for run in ansi.runs("12%\r64%\rdone\r")] == ["done"]


def test_control_characters_are_made_visible():
    assert [run.text for run in ansi.runs("a\x00b\x08c")] == ["a\ufffdb\ufffdc"]
