"""From this machine's times to a function's."""

from __future__ import annotations

import pytest

from model_store.gate.measure import Timing
from model_store.gate.speed import Speed, billed_s
from tests.build.forecasts import measured

SPEED = Speed(measured=measured(), size_bytes=90_000_000)


@pytest.mark.parametrize(
    ("memory_mb", "warm_s"),
    [
        (1769, 0.04002),  # one processor, as timed, and 20 µs of the handler's
        (3538, 0.02502),  # two, as timed
        (884, 0.04002 * 1769 / 884),  # half a processor: both take twice as long
        # 1.7 processors and two threads: 44 ms of processors' time ÷ 1.7, more than the 25 ms by the clock
        (3008, 0.044 * 1769 / 3008 + 0.00002),
        # four: of 40 ms a quarter is not parallel, as two processors took 25: 10 + 30 / 4
        (7076, 0.01752),
    ],
)
def test_a_run_takes_what_its_threads_or_its_share_of_processors_allow(memory_mb: int, warm_s: float) -> None:
    assert SPEED.warm_s(memory_mb) == pytest.approx(warm_s, rel=1e-9)


@pytest.mark.parametrize(
    ("memory_mb", "basis"),
    [(1769, "measured"), (3538, "measured"), (512, "scaled"), (3008, "scaled"), (5307, "scaled"), (10_240, "scaled")],
)
def test_what_was_not_timed_here_is_said_to_be_scaled(memory_mb: int, basis: str) -> None:
    assert SPEED.basis(memory_mb) == basis


def test_where_only_one_thread_could_be_tried_more_are_taken_to_gain_nothing() -> None:
    alone = Speed(measured=measured(warm={1: Timing(0.040, 0.040)}), size_bytes=0)

    assert alone.warm_s(7076) == pytest.approx(0.04002)


def test_more_threads_that_made_it_slower_are_taken_to_gain_nothing() -> None:
    slower = Speed(measured=measured(warm={1: Timing(0.040, 0.040), 2: Timing(0.050, 0.090)}), size_bytes=0)

    assert slower.warm_s(7076) == pytest.approx(0.04002)


def test_numbers_in_requests_and_answers_take_their_time() -> None:
    image = Speed(measured=measured(values_in=100_000, values_out=10_000), size_bytes=0)

    assert image.warm_s(1769) == pytest.approx(0.04002 + 0.008 + 0.0003)


def test_a_first_answer_is_the_sum_of_its_parts() -> None:
    cold = SPEED.cold(1769)

    assert cold.init_s == pytest.approx(0.2 + 0.06)
    assert cold.download_s == pytest.approx(1.0 + 0.075)  # 90 MB at 90 MB/s, after three requests
    assert cold.hash_s == pytest.approx(0.09)
    assert cold.session_s == pytest.approx(0.1)
    assert cold.first_run_s == pytest.approx(0.05002)
    assert cold.load_s == pytest.approx(1.31502)
    assert cold.total_s == pytest.approx(1.57502)


def test_half_a_processor_takes_twice_as_long_but_for_the_network() -> None:
    whole, half = SPEED.cold(1770), SPEED.cold(885)

    assert half.download_s == whole.download_s
    assert half.init_s == pytest.approx(2 * whole.init_s, rel=1e-3)
    assert half.hash_s == pytest.approx(2 * whole.hash_s, rel=1e-3)
    assert half.session_s == pytest.approx(2 * whole.session_s, rel=1e-3)


@pytest.mark.parametrize(("seconds", "billed"), [(0.00002, 0.001), (0.001, 0.001), (0.0011, 0.002), (1.5, 1.5)])
def test_time_is_billed_by_the_millisecond_begun(seconds: float, billed: float) -> None:
    assert billed_s(seconds) == billed
