"""What was chosen before on this machine, in a file of the cache folder; a damaged one is as good as none."""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from tacit import __version__
from tacit.atomic import replacing
from tacit.weights.download import cache_folder

LIBRARIES = ("torch", "onnxruntime", "openvino", "tensorrt")
MOST = 200  # choices; the oldest go
LOG = logging.getLogger(__name__)


def key_of(*facts: object) -> str:
    """One name for these facts on this machine with these libraries and so many threads."""
    told: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    machine = (platform.machine(), sorted(told.items()), gpu, torch.get_num_threads())
    versions = (__version__, *map(_version, LIBRARIES))
    return hashlib.sha256(repr((machine, versions, facts)).encode()).hexdigest()


def recall(key: str) -> dict[str, Any]:
    """What was kept under that key; nothing where nothing was."""
    entry = _read().get(key)
    return entry if isinstance(entry, dict) else {}


def keep(key: str, entry: dict[str, Any]) -> None:
    """For the next time; where the folder cannot be written there is none."""
    entries = [*((old, value) for old, value in _read().items() if old != key), (key, entry)]
    path = cache_folder() / "engines.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(json.dumps(dict(entries[-MOST:]), indent=1).encode())
    except OSError as error:
        LOG.info("the choice of an engine is not kept: %s", error)


def _read() -> dict[str, Any]:
    try:
        content = json.loads((cache_folder() / "engines.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
