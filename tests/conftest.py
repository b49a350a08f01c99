"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Let Ctrl-C be heard: a shell starts a background job with SIGINT ignored, and so would
    every program be started that a test stops by it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
