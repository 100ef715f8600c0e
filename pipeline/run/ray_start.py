"""Start Ray on this machine or join a cluster, and notice when it dies."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Timer, current_thread, main_thread
from time import monotonic
from typing import Any

import psutil
import ray
from ray.job_config import JobConfig

from configs.errors import EmotionTimelinesError, UsageError, first_line
from configs.schema import Settings
from pipeline.run.machine import usable_cpus
from pipeline.run.ray_private import command_line_unnoticed, needless_parts_left_out

CONNECT_TIMEOUT_S = 10
START_TIMEOUT_S = 120.0
"""After which Ray's processes are ended, for its start to fail rather than wait for ever."""

MIN_OBJECT_STORE_MB = 256
HELD_BACK_BATCHES = 4
"""By the recorder, until faces are finalised."""

MIN_OPEN_FILES = 512
"""With fewer, Ray may start, but then stops half-way without a word."""

RAY_PROCESSES = {"gcs_server", "raylet"}
WORKERS_END_S = 5.0
"""Actors that are still there so long after Ray died are ended."""

HEAD_POLL_S, HEAD_TIMEOUT_S, MAX_HEAD_FAILURES = 5.0, 3.0, 2

ROOT = Path(__file__).parents[2]
CODE = [ROOT / name for name in ("configs", "models", "pipeline", "stages")]
"""Our packages, which Ray copies to the other nodes of a cluster."""

TOKENS = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""Where a user may have said which token Ray takes, beside a file in the home."""

_turn = Lock()

_prestarted: list[Future[None]] = []
"""A start of Ray that nobody has waited for yet."""


@contextmanager
def prestart(settings: Settings, lanes: int, verbose: bool) -> Iterator[None]:
    """Start Ray here in a thread. The caller prepares meanwhile; ``ray_running`` then waits for it.

    Only for a program that uses Ray for nothing else.
    """
    # Linux ends Ray's processes with the thread that started them, so the thread stays.
    with ThreadPoolExecutor(1, thread_name_prefix="start of Ray") as pool:
        _prestarted.append(pool.submit(_start, settings, lanes, verbose))
        try:
            yield
        finally:
            if _prestarted:
                wait([_prestarted.pop()])
                ray.shutdown()


@contextmanager
def ray_running(settings: Settings, lanes: int, verbose: bool) -> Iterator[RayMonitor]:
    """Start Ray with memory for this many lanes, or join a cluster; shut down afterwards.

    Args:
        verbose: show Ray's log.

    Yields:
        A monitor of Ray.

    Raises:
        UsageError: the cluster named in the settings cannot be joined, or this program uses Ray
            for something else.
        EmotionTimelinesError: Ray cannot be started.
    """
    prestarted = _prestarted.pop() if _prestarted else None
    monitor: RayMonitor | None = None
    with _turn_with_ray(taken=prestarted is not None):
        try:
            if settings.executor.address:
                _join(settings.executor.address, verbose)
                monitor = RayMonitor([], ray.get_runtime_context().gcs_address)
            else:
                if prestarted is None:
                    _start(settings, lanes, verbose)
                else:
                    with _sigterm_handler_kept():
                        prestarted.result()
                monitor = RayMonitor(_ray_processes(), None)
            yield monitor
        finally:
            ray.shutdown()
            if monitor and monitor.has_died():
                monitor.end_workers()


@contextmanager
def _turn_with_ray(taken: bool = False) -> Iterator[None]:
    """Wait until no other thread uses Ray, of which a process can have but one.

    Args:
        taken: Ray was started for this turn already.

    Raises:
        UsageError: the program uses Ray itself.
    """
    with _turn:
        if ray.is_initialized() and not taken:
            raise UsageError(
                "Ray already runs in this program for something else; call ray.shutdown() first, "
                "or choose the executor local"
            )
        yield


@contextmanager
def _sigterm_handler_kept() -> Iterator[None]:
    """Undo that Ray, when it starts, replaces the handler of SIGTERM; for the main thread.

    Its own would exit at once and leave files half-written. Where Ray starts in another thread,
    Python does not know of the change, but setting its handler again undoes it all the same.
    """
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if current_thread() is main_thread() and handler is not None:
            signal.signal(signal.SIGTERM, handler)


class RayMonitor:
    """Notices when Ray itself has died; any number of threads may ask.

    Ray would end this program a minute later, without a message.

    Args:
        processes: those of Ray on this machine.
        head: address of the head of the cluster, where one was joined.
    """

    def __init__(self, processes: Sequence[psutil.Process], head: str | None) -> None:
        self._processes, self._head = processes, head
        self._asked_s, self._head_failures = monotonic(), 0
        self._asking = Lock()
        self._died = False

    def has_died(self) -> bool:
        self._died = self._died or any(map(_is_dead, self._processes)) or self._head_is_silent()
        return self._died

    def end_workers(self) -> None:
        """See to it that actors here, which may outlive Ray for a moment, write no more."""
        parents = {str(process.pid) for process in self._processes}
        workers = [each for each in psutil.process_iter() if _parent_in_ray(each) in parents]
        for worker in psutil.wait_procs(workers, WORKERS_END_S)[1]:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        psutil.wait_procs(workers, WORKERS_END_S)

    def _head_is_silent(self) -> bool:
        # One thread asks for all of them: a single refusal must not count as often as there are
        # threads.
        if self._head and self._asking.acquire(blocking=False):
            try:
                if monotonic() - self._asked_s >= HEAD_POLL_S:
                    self._head_failures = 0 if _answers(self._head) else self._head_failures + 1
                    self._asked_s = monotonic()
            finally:
                self._asking.release()
        return self._head_failures >= MAX_HEAD_FAILURES


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=HEAD_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _ray_processes() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.name() in RAY_PROCESSES]


def _parent_in_ray(process: psutil.Process) -> str | None:
    """The process id of the raylet that started a worker, as Ray tells it; None for others."""
    try:
        return process.environ().get("RAY_RAYLET_PID")
    except (psutil.Error, OSError):  # It has just ended, or is another user's.
        return None


def _is_dead(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _start(settings: Settings, lanes: int, verbose: bool) -> None:
    """Start Ray on this machine, for this program alone.

    Raises:
        EmotionTimelinesError: it does not start.
    """
    _check_open_files()
    batches_alive = lanes * (2 * settings.executor.queue_batches + HELD_BACK_BATCHES)
    memory_mb = max(MIN_OBJECT_STORE_MB, batches_alive * settings.read.batch_mb)
    watchdog = Timer(START_TIMEOUT_S, _end_ray_processes)
    watchdog.daemon = True
    watchdog.start()
    try:
        with _unnoticed(verbose), _private(verbose), _hangups_held_back():
            ray.init(
                address="local",
                num_cpus=usable_cpus(),
                include_dashboard=False,
                object_store_memory=memory_mb * 2**20,
                job_config=_own_packages_found(),
                **_how_to_log(verbose),
            )
    except (Exception, SystemExit) as error:  # Whatever it is: Ray raises errors of many kinds.
        logging.getLogger(__name__).debug("Ray did not start", exc_info=error)
        _end_ray_processes()
        raise _cannot_start(_in_words(error)) from error
    finally:
        watchdog.cancel()


def _own_packages_found() -> JobConfig:
    """Has actors import our packages from where this process did.

    By default they look into the working directory first, where somebody may have packages named
    ``models`` or ``configs``; for a job of Ray's client they do not.
    """
    installed = str(ROOT) == sysconfig.get_path("purelib")
    return JobConfig(_client_job=True, _py_driver_sys_path=[] if installed else [str(ROOT)])


@contextmanager
def _unnoticed(verbose: bool) -> Iterator[None]:
    """Start or join Ray without a word, with our handlers of signals kept."""
    logging.getLogger("ray").setLevel(logging.INFO if verbose else logging.CRITICAL)
    with _sigterm_handler_kept(), command_line_unnoticed():
        yield


@contextmanager
def _private(verbose: bool) -> Iterator[None]:
    """Start Ray so that it listens to this machine alone, with a token that only memory holds."""
    given = Path("~/.ray/auth_token").expanduser().exists()
    if not given and not any(map(os.environ.get, TOKENS)):
        os.environ[TOKENS[0]] = secrets.token_hex(32)
    with _variable("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0"), needless_parts_left_out(verbose):
        yield


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment; others may be changed meanwhile by other threads."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _check_open_files() -> None:
    """Check first, as Ray would wait for ever for what it could not open.

    Raises:
        EmotionTimelinesError: too few files may be open, and this program cannot change that.
    """
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # Ray raises its own limit to it.
    if most != resource.RLIM_INFINITY and most < MIN_OPEN_FILES:
        raise _cannot_start(f"only {most} files may be open; raise the limit: ulimit -n 8192")


def _cannot_start(reason: str) -> EmotionTimelinesError:
    return EmotionTimelinesError(
        f"Ray cannot start on this machine: {reason}; or do without Ray: --executor local"
    )


@contextmanager
def _hangups_held_back() -> Iterator[None]:
    """Ray's processes, which inherit this, outlive a lost terminal for as long as we need them."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _in_words(error: BaseException) -> str:
    """What kept Ray from starting, and the remedy."""
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return (
            f"its folder for temporary files cannot be used: {reason}; set RAY_TMPDIR to a "
            "short path of a folder that can be written to"
        )
    return f"{first_line(error).strip().rstrip('.:')}; try again"


def _end_ray_processes() -> None:
    for process in _ray_processes():
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _join(address: str, verbose: bool) -> None:
    """Join a cluster.

    Raises:
        UsageError: nothing listens there, or it cannot be joined.
    """
    _check_reachable(address)
    code = {"py_modules": [str(path) for path in CODE]}
    try:
        with _unnoticed(verbose):
            ray.init(address=address, runtime_env=code, **_how_to_log(verbose))
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"executor.address: {address}: the cluster cannot be joined: {error}; "
            "if it was started with tokens, set RAY_AUTH_MODE=token"
        ) from error


def _check_reachable(address: str) -> None:
    """Check first, as Ray would wait for ever for a cluster that is not there.

    Raises:
        UsageError: nothing listens there.
    """
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return  # "auto", which Ray looks up on this machine.
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"executor.address: {address}: no Ray cluster answers there: {reason}"
        ) from error


def _how_to_log(verbose: bool) -> dict[str, Any]:
    level = logging.INFO if verbose else logging.CRITICAL
    return {"log_to_driver": verbose, "logging_level": level, "configure_logging": verbose}
