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
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock, Timer
from time import monotonic
from typing import Any
from unittest.mock import patch

import psutil
import ray
from ray._private import ray_constants, utils
from ray._private.node import Node
from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]
from ray.job_config import JobConfig

from configs.errors import EmotionTimelinesError, UsageError, first_line
from configs.schema import Settings
from pipeline.run.machine import usable_cpus
from pipeline.run.ray_turns import sigterm_handler_kept, turn_with_ray

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

_begun: list[Future[None]] = []
"""A start of Ray that nobody has waited for yet."""


@contextmanager
def start_begun(settings: Settings, lanes: int, verbose: bool) -> Iterator[None]:
    """Start Ray here in a thread, while the caller gets ready for ``ray_running``, which waits.

    For programs of their own, which use Ray for nothing else.
    """
    # Linux ends the processes of Ray with the thread that started them, which so outlives them.
    with ThreadPoolExecutor(1, thread_name_prefix="start of Ray") as pool:
        _begun.append(pool.submit(_start, settings, lanes, verbose))
        try:
            yield
        finally:
            if _begun:
                wait([_begun.pop()])
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
    begun = _begun.pop() if _begun else None
    monitor: RayMonitor | None = None
    with turn_with_ray(taken=begun is not None):
        try:
            if settings.executor.address:
                _join(settings.executor.address, verbose)
                monitor = RayMonitor([], ray.get_runtime_context().gcs_address)
            else:
                if begun is None:
                    _start(settings, lanes, verbose)
                else:
                    with sigterm_handler_kept():
                        begun.result()
                monitor = RayMonitor(_ray_processes(), None)
            yield monitor
        finally:
            ray.shutdown()
            if monitor and monitor.has_died():
                monitor.end_workers()


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
    """Start or join Ray without a word, with our handlers of signals kept.

    It would also keep the command line, which may hold passwords, or bytes that it cannot encode.
    """
    logging.getLogger("ray").setLevel(logging.INFO if verbose else logging.CRITICAL)
    with (
        sigterm_handler_kept(),
        patch.object(utils, "get_entrypoint_name", lambda: "emotion-timelines"),
    ):
        yield


@contextmanager
def _private(verbose: bool) -> Iterator[None]:
    """Start Ray so that it listens to this machine alone, and asks nobody on the network.

    Its dashboard, which is not shown, would look up cloud providers even with usage statistics
    switched off. The monitor of its autoscaler is of use to clusters alone, and that of its logs to
    show them. Its token is kept in memory rather than in the user's home.
    """
    if not AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    with ExitStack() as stack:
        stack.enter_context(_variable(ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR, "0"))
        stack.enter_context(patch.object(ray_constants, "ENABLE_RAY_CLUSTER", False))
        needless = ["start_api_server", "start_monitor"]
        if not verbose:
            needless.append("start_log_monitor")
        for name in needless:
            stack.enter_context(patch.object(Node, name, lambda *_, **__: None))
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
