"""Pages of long lists, without counting a million rows for a line of text."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

MOST = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg] # Django has no generic here at run time
    """Counts up to `MOST` rows; what lies behind them is reached by a filter.

    Attributes:
        more: there are more rows than `count` says.
    """

    more = False

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        found = rows.order_by().values("pk")[: MOST + 1].count()
        self.more = found > MOST
        return min(found, MOST)
