"""A signal asks to stop; the second one does not ask."""

import os
import signal
import threading

import pytest

from producers.stopping import on_signals


def test_a_signal_ends_the_waiting_and_is_remembered() -> None:
    with on_signals() as stop:
        before = stop.wait(0)
        os.kill(os.getpid(), signal.SIGTERM)
        stopped = stop.wait(5)

    assert (before, stopped) == (False, True)
    assert stop.signal_number == signal.SIGTERM


def test_the_second_ctrl_c_interrupts() -> None:
    with on_signals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)

        with pytest.raises(KeyboardInterrupt):
            _ask_again()


def _ask_again() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(5)


def test_the_former_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with on_signals():
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before
