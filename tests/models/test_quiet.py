"""Libraries in C are silenced for a while, never for good, whatever other threads do."""

from __future__ import annotations

import subprocess
import sys

import pytest

SILENCED_BY_MANY_THREADS = """
import ctypes
from threading import Thread
from models.libraries import standard_error_silenced

c = ctypes.CDLL(None)
stderr = ctypes.c_void_p.in_dll(c, "stderr")
c.fputs.argtypes = c.fflush.argtypes = None

def say(words):
    file = ctypes.c_void_p(stderr.value)
    for _ in range(20):  # It may be another thread's turn meanwhile.
        c.fputs(words, file)
    c.fflush(file)

def be_silent():
    for _ in range(1000):
        with standard_error_silenced():
            say(b"unheard ")

def speak():
    for _ in range(3000):
        say(b"")

threads = [Thread(target=work) for work in (be_silent, be_silent, be_silent, speak, speak)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
c.fputs(b"heard again", stderr)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere C's stderr has another name")
def test_standard_error_is_heard_again_after_many_threads_silenced_it() -> None:
    program = [sys.executable, "-c", SILENCED_BY_MANY_THREADS]
    outcome = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (outcome.returncode, outcome.stderr) == (0, "heard again")
