"""The loop stays awake behind an answer, for a while and once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from handlers.server.busy_poll import BusyPoll


class Loop:
    """Turns that take 10 µs each."""

    def __init__(self) -> None:
        self.now_us, self.calls = 0, deque[Callable[[], object]]()

    def turn(self) -> None:
        self.now_us += 10
        for _ in range(len(self.calls)):
            self.calls.popleft()()

    def turns_until_asleep(self) -> int:
        before = self.now_us
        while self.calls:
            self.turn()
        return (self.now_us - before) // 10


def polling(loop: Loop) -> BusyPoll:
    return BusyPoll(50e-6, call_soon=loop.calls.append, now=lambda: loop.now_us / 1e6)


def test_it_polls_for_so_long_and_sleeps_again() -> None:
    loop = Loop()
    poll = polling(loop)
    assert loop.turns_until_asleep() == 0
    for _ in range(2):
        poll.extend()
        assert loop.turns_until_asleep() == 5


def test_the_next_answer_extends_it_and_does_not_double_it() -> None:
    loop = Loop()
    poll = polling(loop)
    poll.extend()
    for _ in range(3):
        loop.turn()
    poll.extend()
    assert len(loop.calls) == 1
    assert loop.turns_until_asleep() == 5
