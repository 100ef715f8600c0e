"""The command line on a system that is not POSIX, as far as its own code can tell.

``python -m tests.pipeline.without_posix run VIDEO`` hides from the program's own modules what
Windows does not have; other packages have code of their own for it, and keep everything.
"""

from __future__ import annotations

import builtins
import os
import signal
import sys
from types import FrameType, ModuleType
from typing import Any

OURS = {"configs", "models", "pipeline", "stages"}

MODULES = {
    "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty",
}  # fmt: skip

NAMES = {
    # of os
    "O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "WEXITSTATUS",
    "WIFEXITED", "WIFSIGNALED", "WNOHANG", "WTERMSIG", "chown", "chroot", "confstr", "ctermid",
    "eventfd", "fchdir", "fchmod", "fchown", "fdatasync", "fork", "forkpty", "fpathconf",
    "fstatvfs", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp",
    "getpriority", "getsid", "getuid", "getxattr", "killpg", "lchown", "memfd_create", "mkfifo",
    "mknod", "nice", "openpty", "pathconf", "posix_fadvise", "posix_fallocate", "posix_spawn",
    "pread", "preadv", "pwrite", "pwritev", "readv", "register_at_fork", "sched_getaffinity",
    "sched_setaffinity", "sched_yield", "sendfile", "setgid", "setpgid", "setpgrp",
    "setpriority", "setsid", "setuid", "setxattr", "statvfs", "sync", "sysconf", "tcgetpgrp",
    "ttyname", "uname", "wait", "wait3", "wait4", "waitid", "writev",
    "link", "symlink",  # Windows has them for administrators.
    # of signal
    "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGIO", "SIGKILL", "SIGPIPE", "SIGQUIT",
    "SIGSTOP", "SIGTSTP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "pause", "pthread_kill",
    "pthread_sigmask", "setitimer", "siginterrupt", "sigpending", "sigtimedwait", "sigwait",
}  # fmt: skip


def _is_ours(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] in OURS


class _Hiding(ModuleType):
    """A module whose names of POSIX the program's own code does not find."""

    def __getattribute__(self, name: str) -> Any:
        if name in NAMES and _is_ours(sys._getframe(1)):
            raise AttributeError(f"{name} is hidden: Windows does not have it")
        return super().__getattribute__(name)


def _without_modules(name: str, *arguments: Any, **named: Any) -> ModuleType:
    if name in MODULES and _is_ours(sys._getframe(1)):
        raise ModuleNotFoundError(f"{name} is hidden: Windows does not have it")
    return _import(name, *arguments, **named)


def _without_shared_memory(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and str(arguments[0]).startswith("/dev/shm"):
        raise FileNotFoundError(f"{arguments[0]} is hidden: Windows does not have it")


os.__class__ = signal.__class__ = _Hiding
_import, builtins.__import__ = builtins.__import__, _without_modules
sys.addaudithook(_without_shared_memory)

if __name__ == "__main__":
    from pipeline.cli import main

    main()
