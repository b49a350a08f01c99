"""Who waits sees that something goes on."""

import io

from rich.console import Console

from demo.screen import screen_for


def shown(is_terminal: bool) -> str:
    written = io.StringIO()
    screen = screen_for(Console(file=written, force_terminal=is_terminal, width=80))
    screen.step("Champion")
    screen.tick("training")
    screen.settle()
    screen.say("done")
    return written.getvalue()


def test_a_clock_moves_while_a_program_works() -> None:
    assert "training, 0 s" in shown(is_terminal=True)
    assert "   training, 0 s\n   done\n" in shown(is_terminal=False)
