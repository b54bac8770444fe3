"""A Ray cluster to work on: one that is there, or one of this machine alone, which nobody else can reach."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from tacit.errors import ConfigError, TacitError

AUTO = "auto"
PATIENCE = 5.0  # seconds for the head of a cluster to answer
TRIES = 5  # of Ray to speak with what listens there; by itself it takes 20
OBJECT_STORE = 2**30  # bytes of shared memory for weights, lists and answers on their way; taken as it is used


@contextmanager
def connected(address: str = AUTO, cpus: int | None = None) -> Iterator[int]:
    """Connects to the cluster at `address` (host:port) and gives the number of its CPUs; disconnects afterwards.

    `auto` is the cluster that this program was submitted to (`RAY_ADDRESS`), or else one that is started here and ends
    with the block: it has `cpus` (all by default), listens on the loopback interface only, and reports to nobody.
    Raises ConfigError where Ray is not installed or nothing answers at the address.
    """
    require_extra()
    given = address if address != AUTO else os.environ.get("RAY_ADDRESS", "")
    if given:
        require_answer(given)
        os.environ.setdefault("RAY_gcs_server_port_wait_time_s", str(TRIES))
    else:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read when Ray is imported: 127.0.0.1 is its own
    ray = ray_there()
    try:
        _start(ray, given, cpus)
        yield int(ray.cluster_resources().get("CPU", 1))
    finally:
        ray.shutdown()


def require_extra() -> None:
    """Raises ConfigError where Ray Data is not installed; does not import it yet."""
    if not all(map(find_spec, ("ray", "pyarrow", "fsspec"))):
        raise ConfigError("a cluster needs Ray Data", fix="pip install 'tacit[scale]'")


def ray_there() -> Any:
    """The library, which says nothing but errors."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_BACKEND_LOG_LEVEL="fatal")
    with _hushed():
        import ray
        import ray.data
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # its errors are raised too, and told in a sentence
    ray.data.DataContext.get_current().enable_progress_bars = False
    return ray


def require_answer(address: str) -> None:
    """Raises ConfigError for an address where nothing listens; Ray itself would wait for it for minutes."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(
            f"--cluster {address} is no address", allowed="auto, or host:port of the cluster's head (6379)"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        raise ConfigError(
            f"no cluster answers at {address}: {error}", fix="check the address, and that 'ray start --head' runs there"
        ) from error


def _start(ray: Any, address: str, cpus: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    own = {"num_cpus": cpus, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    try:
        with _hushed():
            ray.init(address=address or "local", **({} if address else own), **quiet)
    except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
        where = f"the cluster at {address} cannot be used" if address else "no cluster can be started here"
        raise TacitError(f"{where}: {str(error).strip().partition(chr(10))[0]}") from error


@contextmanager
def _hushed() -> Iterator[None]:
    """Without what Ray's libraries write on stderr past Python, such as that they were told to be quiet."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
