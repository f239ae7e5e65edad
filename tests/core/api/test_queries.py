"""Query parameters that do not fit: what was expected, and what came."""

import pytest
from django.http import QueryDict

from taskhub.core.api import queries, refusals
from taskhub.core.api.queries import Query, TextFilter, TimeFilter, WholeFilter

pytestmark = pytest.mark.one_database


class Form(Query):
    count = WholeFilter(min_value=1, max_value=100)
    line = WholeFilter()
    search = TextFilter(max_length=5)
    after = TimeFilter()


def test_what_fits_comes_as_a_value():
    found = queries.read(QueryDict("count=100&line=9223372036854775807&search=abcde"), Form)
    assert found == {"count": 100, "line": 2**63 - 1, "search": "abcde"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("count=0", "count: expected a whole number from 1 to 100, got '0'"),
        ("count=101", "count: expected a whole number from 1 to 100, got '101'"),
        ("count=x", "count: expected a whole number from 1 to 100, got 'x'"),
        ("count=", "count: expected a whole number from 1 to 100, got ''"),
        ("line=-1", "line: expected a whole number from 0 on, got '-1'"),
        ("line=9223372036854775808", "line: expected a whole number from 0 on, got '9223372036854775808'"),
        ("search=abcdef", "search: expected at most 5 characters, got 6"),
        ("search=a%00", "search: expected a text without NUL, got 'a\\x00'"),
        ("after=noon", "after: expected a time like 2026-03-10T12:00:00Z, got 'noon'"),
    ],
)
def test_what_does_not_fit_is_told_with_what_came(query, said):
    with pytest.raises(Exception) as refused:
        queries.read(QueryDict(query), Form)
    assert str(refusals.as_taskhub_error(refused.value)) == said
