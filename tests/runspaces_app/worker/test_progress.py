"""`progress` as scripts see it."""

import math

import pytest

from runspaces_app.worker.progress import LONGEST_MESSAGE, Progress

pytestmark = pytest.mark.one_database


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def changes() -> list[int]:
    return []


@pytest.fixture
def progress(clock: Seconds, changes: list[int]) -> Progress:
    return Progress(lambda: changes.append(1), clock)


def test_a_job_that_has_begun_is_at_nothing_and_running(progress: Progress) -> None:
    assert progress.snapshot() == (0, "Running")


@pytest.mark.parametrize(
    ("given", "shown"),
    [(-1, 0), (0, 0), (0.9, 0), (33.4, 33), (99.96, 99), (100, 100), (101, 100), (math.inf, 100), (-math.inf, 0)],
)  # fmt: skip
def test_the_percent_is_clamped_and_cut_to_a_whole_number(
    progress: Progress, given: float, shown: float
) -> None:
    progress.percent_complete = given
    assert progress.percent_complete == shown


def test_a_number_beyond_any_float_is_clamped_too(progress: Progress) -> None:
    progress.percent_complete = 10**400
    assert progress.percent_complete == 100
    progress.percent_complete = -(10**400)
    assert progress.percent_complete == 0


@pytest.mark.parametrize("given", [math.nan, True, "50", None, 1j, [50]])
def test_what_is_no_number_is_refused_and_changes_nothing(progress: Progress, given: object) -> None:
    progress.percent_complete = 20
    with pytest.raises(ValueError, match="expected a number from 0 to 100"):
        progress.percent_complete = given  # type: ignore[assignment]
    assert progress.percent_complete == 20


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\N{EM SPACE}", None, 5])
def test_a_blank_message_is_refused_and_changes_nothing(progress: Progress, text: object) -> None:
    progress.status_message = "before"
    with pytest.raises(ValueError, match="not blank"):
        progress.status_message = text  # type: ignore[assignment]
    for call in (progress.complete, progress.fail, progress.cancel):
        with pytest.raises(ValueError, match="not blank"):
            call(text)  # type: ignore[arg-type]
    assert progress.snapshot() == (0, "before")


def test_a_message_is_kept_as_text_that_every_database_takes(progress: Progress) -> None:
    progress.status_message = "caf\udce9 \0 ready"
    assert progress.status_message == "caf? \N{REPLACEMENT CHARACTER} ready"


def test_a_long_message_is_cut(progress: Progress) -> None:
    progress.status_message = "x" * 10_000
    assert progress.status_message == "x" * LONGEST_MESSAGE


def test_percent_and_message_are_set_independently(progress: Progress) -> None:
    progress.percent_complete = 40
    assert progress.snapshot() == (40, "Running")
    progress.status_message = "half-way"
    assert progress.snapshot() == (40, "half-way")
    progress.percent_complete = 60
    assert progress.snapshot() == (60, "half-way")


def test_every_change_is_told(progress: Progress, changes: list[int]) -> None:
    def tick() -> None:
        progress.tick()

    calls = [
        lambda: setattr(progress, "percent_complete", 1), lambda: setattr(progress, "percent_complete", 1),
        lambda: setattr(progress, "status_message", "a"), lambda: setattr(progress, "decimals", 1),
        lambda: progress.over(5), progress.reset, progress.fail, progress.cancel, progress.complete,
    ]  # fmt: skip
    for number, call in enumerate(calls, 1):
        call()
        assert len(changes) == number
    progress.reset()
    before = len(changes)
    progress.range(0, 3)
    tick()
    assert len(changes) == before + 1


@pytest.mark.parametrize(
    ("call", "percent", "message"),
    [("complete", 100, "Completed"), ("fail", 30, "Failed"), ("cancel", 30, "Cancelled"), ("reset", 0, "Not started")],
)  # fmt: skip
def test_the_words_it_has_by_default(progress: Progress, call: str, percent: float, message: str) -> None:
    progress.percent_complete = 30
    getattr(progress, call)()
    assert progress.snapshot() == (percent, message)


@pytest.mark.parametrize("call", ["complete", "fail", "cancel"])
def test_the_words_a_script_gives_itself(progress: Progress, call: str) -> None:
    getattr(progress, call)("In my own words")
    assert progress.status_message == "In my own words"


@pytest.mark.parametrize(
    ("said", "kind", "kept"),
    [
        ("complete", "completed", "All copied"), ("complete", "failed", None), ("complete", "cancelled", None),
        ("fail", "failed", "All copied"), ("fail", "completed", None),
        ("cancel", "cancelled", "All copied"), ("cancel", "completed", None),
    ],
)  # fmt: skip
def test_the_last_word_stands_only_for_the_end_it_speaks_of(
    progress: Progress, said: str, kind: str, kept: str | None
) -> None:
    getattr(progress, said)("All copied")
    assert progress.close(kind) == kept


def test_a_word_that_was_followed_by_another_is_not_the_last(progress: Progress) -> None:
    progress.complete("Done")
    progress.status_message = "and some more"
    assert progress.close("completed") is None


@pytest.mark.parametrize(
    ("kind", "percent"), [("completed", 100), ("failed", 42), ("cancelled", 42)]
)  # fmt: skip
def test_only_completion_sets_the_percent(progress: Progress, kind: str, percent: float) -> None:
    progress.percent_complete = 42
    progress.close(kind)
    assert progress.percent_complete == percent


def test_a_range_moves_from_here_to_its_limit(progress: Progress) -> None:
    seen = [(number, progress.percent_complete) for number in progress.range(0, 4)]
    assert seen == [(0, 0), (1, 25), (2, 50), (3, 75)]
    assert progress.percent_complete == 100


def test_two_ranges_in_a_row_reach_80_then_100(progress: Progress) -> None:
    for _ in progress.range(0, 7, max=80):
        pass
    assert progress.percent_complete == 80
    for _ in progress.range(0, 3):
        pass
    assert progress.percent_complete == 100


def test_a_range_counts_as_pythons_does(progress: Progress) -> None:
    assert list(progress.range(10, 0, -3)) == [10, 7, 4, 1]
    assert progress.percent_complete == 100
    progress.reset()
    assert list(progress.range(0, 10, 4)) == [0, 4, 8]
    assert list(progress.range(5, 5)) == []


@pytest.mark.parametrize("count", [1, 3, 7, 1000, 99_999])
def test_ticks_never_show_100_before_the_end_and_land_on_it(progress: Progress, count: int) -> None:
    progress.range(0, count)
    for _ in range(count - 1):
        progress.tick()
    assert progress.percent_complete < 100
    progress.tick()
    assert progress.percent_complete == 100


def test_a_thousand_ticks_still_move(progress: Progress) -> None:
    progress.decimals = 1
    progress.range(0, 1000)
    seen = []
    for _ in range(1000):
        progress.tick()
        seen.append(progress.percent_complete)
    assert seen == [pytest.approx(number / 10) for number in range(1, 1001)]


def test_ticks_beyond_the_range_do_nothing(progress: Progress, changes: list[int]) -> None:
    progress.range(0, 2, max=50)
    for _ in range(5):
        progress.tick()
    assert progress.percent_complete == 50
    assert len(changes) == 2


def test_a_value_set_by_hand_ends_the_range(progress: Progress) -> None:
    progress.range(0, 10)
    progress.tick()
    progress.percent_complete = 70
    progress.tick()
    assert progress.percent_complete == 70


@pytest.mark.parametrize("limit", [39, 0, -1, 100.5, math.nan])
def test_a_limit_below_the_present_value_or_above_100_is_an_error(progress: Progress, limit: float) -> None:
    progress.percent_complete = 40
    with pytest.raises(ValueError, match="max: expected 40 to 100"):
        progress.range(0, 3, max=limit)
    with pytest.raises(ValueError, match="max: expected 40 to 100"):
        progress.over(3, max=limit)
    assert progress.snapshot() == (40, "Running")


def test_a_step_of_nothing_is_an_error(progress: Progress) -> None:
    with pytest.raises(ValueError, match="zero"):
        progress.range(0, 3, 0)


def test_by_the_clock_it_comes_close_to_its_limit_and_never_reaches_it(
    progress: Progress, clock: Seconds
) -> None:
    progress.percent_complete = 20
    progress.over(10, max=80)
    seen = []
    for _ in range(5):
        seen.append(progress.percent_complete)
        clock.now += 2.5
    assert seen == [20, 35, 50, 65, 79]
    clock.now += 10_000
    assert progress.percent_complete == 79
    assert progress.moves_by_itself


def test_a_range_after_the_clock_goes_on_from_where_it_stands(progress: Progress, clock: Seconds) -> None:
    progress.over(10)
    clock.now += 5
    progress.range(0, 2)
    assert (progress.percent_complete, progress.moves_by_itself) == (50, False)
    progress.tick()
    assert progress.percent_complete == 75


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_no_time_at_all_is_an_error(progress: Progress, seconds: float) -> None:
    with pytest.raises(ValueError, match="over: expected seconds above 0"):
        progress.over(seconds)


@pytest.mark.parametrize(("digits", "shown"), [(0, 33), (1, 33.3), (2, 33.33), (6, 33.333333)])
def test_decimals_on_request(progress: Progress, digits: int, shown: float) -> None:
    progress.decimals = digits
    progress.percent_complete = 100 / 3
    assert progress.percent_complete == pytest.approx(shown, abs=1e-9)
    assert progress.decimals == digits


@pytest.mark.parametrize("digits", [-1, 7, 1.5, "2", None])
def test_other_decimals_are_an_error(progress: Progress, digits: object) -> None:
    with pytest.raises(ValueError, match="decimals: expected 0 to 6"):
        progress.decimals = digits  # type: ignore[assignment]


def test_outside_a_job_every_call_is_an_error(progress: Progress, changes: list[int]) -> None:
    walk = progress.range(0, 3)
    progress.close("failed")
    calls = [
        lambda: setattr(progress, "percent_complete", 1), lambda: setattr(progress, "status_message", "a"),
        lambda: setattr(progress, "decimals", 1), lambda: progress.range(0, 2), progress.tick,
        lambda: progress.over(1), progress.complete, progress.fail, progress.cancel, progress.reset, lambda: list(walk),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(RuntimeError, match="no running job"):
            call()
    assert changes == []
