"""Lists by a column: both ways, empty values last, and only by columns that offer it."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.utils import timezone

from taskhub.core.pages.admin import PagesAdmin
from tests.support import make_task

TASKS = "/admin/tasks_app/task/"


def names(client, query: str) -> list[str]:
    page = client.get(f"{TASKS}?{query}").content.decode()
    return re.findall(r'class="th-cell-name"[^>]*>([^<]+)</a>', page)


def test_tasks_by_a_column_both_ways(db, home, sign_in):
    now = timezone.now()
    for name, app, hours in (("b", "Two", 1), ("a", "Two", None), ("c", "One", 5)):
        make_task(name, app=app, last_run_at=hours and now - timedelta(hours=hours))
    client = sign_in("viewer")
    assert names(client, "") == ["c", "a", "b"]
    assert names(client, "o=name") == ["a", "b", "c"] and names(client, "o=-name") == ["c", "b", "a"]
    assert names(client, "o=-app") == ["a", "b", "c"], "among equal ones the usual order goes on"
    assert names(client, "o=-last_run_at") == ["b", "c", "a"] and names(client, "o=last_run_at")[-1] == "a"
    page = client.get(f"{TASKS}?o=-last_run_at&q=b").content.decode()
    assert 'aria-sort="descending"' in page and "?o=last_run_at&amp;q=b" in page
    # What no column offers is no order, be it a field or not; the list is the usual one.
    for other in ("code", "-app__x", "2", "-", "owner__password"):
        assert names(client, f"o={other}") == ["c", "a", "b"]


@pytest.mark.usefixtures("rows")
def test_each_head_that_sorts_leads_to_a_list(sign_in):
    client = sign_in("system_admin")
    # The pages are known once one of them was asked for.
    assert client.get("/admin/").status_code == 200
    asked = [
        (admin.url("changelist"), order)
        for admin in site._registry.values()
        if isinstance(admin, PagesAdmin)
        for column in admin.columns
        if column.sort
        for order in (column.sort.removeprefix("-"), f"-{column.sort.removeprefix('-')}")
    ]
    assert len(asked) > 30
    for address, order in asked:
        page = client.get(address, {"o": order}).content.decode()
        way = "descending" if order.startswith("-") else "ascending"
        assert f'aria-sort="{way}"' in page, (address, order)
