"""Every number on a page leads to what it counts: the lists behind the links hold as many rows."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from tests.support import MINUTE, NOON, make_execution, make_task

# A number, alone or before the word for what is counted; a rate or an amount counts no rows.
NUMBER = re.compile(r"(?:of |/ )?([\d,]+)(?: (?!%|MB|h$|d$)[a-z].*)?")
COUNTED = re.compile(r'aria-label="Pages">\s*<span>\s*(?:\S+ of )?([\d,]+)\s')


class Links(HTMLParser):
    """Address and text of each link below #content that a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._inside = False
        self._address = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self._inside = self._inside or said.get("id") == "content"
        if tag == "a" and self._inside:
            self._address, self._words = said.get("href") or "", []

    def handle_data(self, data: str) -> None:
        if self._address:
            self._words.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._address:
            # In the strip above a list, a label stands before its number.
            self.found.append((self._address, next((words for words in reversed(self._words) if words), "")))
            self._address = ""


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def numbers(page: str) -> list[tuple[str, int]]:
    """(address, number) of each link whose words are a number of something."""
    links = Links()
    links.feed(page)
    found = []
    for address, words in links.found:
        told = NUMBER.fullmatch(words)
        # What the made-up runspaces are said to have run stands in no history.
        if told and "/change/" not in address and "runspace=" not in address:
            found.append((address, int(told[1].replace(",", ""))))
    return found


def counted(page: str) -> int:
    """How many rows a list says that it has; none if it is empty."""
    if "th-empty--page" in page:
        return 0
    told = COUNTED.search(page)
    assert told, "expected a list that says how many rows it has"
    return int(told[1].replace(",", ""))


@pytest.mark.parametrize(
    ("address", "least"),
    [
        ("/admin/", 40),
        ("/admin/tasks_app/task/", 5),
        ("/admin/jobs_app/job/", 5),
        ("/admin/jobs_app/execution/", 3),
        ("/admin/runspaces_app/runspace/", 3),
        ("/admin/runspaces_app/pool/", 2),
        ("/admin/jobs_app/engine/", 2),
        ("/admin/jobs_app/engine/{engine}/change/", 2),
        ("/admin/tasks_app/task/{task}/change/", 3),
        ("/admin/runspaces_app/pool/{pool}/change/", 1),
    ],
)
def test_a_number_leads_to_as_many_rows(rows, sign_in, address, least):
    client = sign_in("system_admin")
    address = address.format(**rows)
    found = numbers(text_of(client, address))
    assert len(found) >= least, found
    for link, number in found:
        target = link if link.startswith("/") else address + link
        if "status=bad" in link and "task=" in link and "between" not in link:
            # Failures in a row are the newest of all that are listed.
            assert counted(text_of(client, target)) >= number, (link, number)
        else:
            assert counted(text_of(client, target)) == number, (link, number)


def test_languages_are_those_of_the_number(rows, sign_in):
    client = sign_in("viewer")
    page = text_of(client, "/admin/runspaces_app/pool/languages/")
    for link, number in numbers(page):
        listed = text_of(client, "/admin/runspaces_app/pool/languages/" + link)
        assert listed.count('<section class="th-card" id=') == number


@pytest.mark.parametrize("list_name", ["jobs_app_execution", "jobs_app_job", "tasks_app_occurrence"])
def test_the_runs_of_a_task_are_found_however_many_tasks_there_are(db, home, sign_in, monkeypatch, list_name):
    from tasks_app.pages import task_names

    monkeypatch.setattr(task_names, "MOST", 2)
    tasks = [make_task(f"Task {number}") for number in range(4)]
    for number, task in enumerate(tasks):
        make_execution(task=task.pk, now=NOON + number * MINUTE)
    client = sign_in("viewer")
    address = f"{reverse(f'admin:{list_name}_changelist')}?task={tasks[3].pk}"
    page = text_of(client, address)
    assert f'<option value="{tasks[3].pk}" selected>' in page
    assert f'<option value="{tasks[2].pk}"' not in page
    if list_name == "jobs_app_execution":
        assert counted(page) == 1
