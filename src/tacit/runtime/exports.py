"""Exported networks in the cache folder: exporting a large one takes a minute, and is needed once."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from tacit import __version__
from tacit.atomic import replacing
from tacit.network import Network
from tacit.runtime.onnx_export import to_onnx
from tacit.weights.download import cache_folder
from tacit.weights.knowledge_file import trunk_hash
from tacit.weights.record import Record

MOST = 4  # files; the oldest go
SHOWN = 24  # letters of a hash in a file's name
LOG = logging.getLogger(__name__)


def exported(network: Network, record: Record) -> bytes:
    """The network as ONNX (`onnx_export.to_onnx`), from the cache where it was exported before.

    A file's name holds the hash of its content: one that is damaged is not taken.
    """
    name = hashlib.sha256(f"{__version__} {trunk_hash(network)} {record.to_json()}".encode()).hexdigest()[:SHOWN]
    folder = cache_folder() / "exports"
    for path in folder.glob(f"{name}-*.onnx"):
        kept = path.read_bytes()
        if path.stem == f"{name}-{_hash(kept)}":
            return kept
    content: bytes = to_onnx(network, record).SerializeToString()
    _store(folder / f"{name}-{_hash(content)}.onnx", content)
    return content


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:SHOWN]


def _store(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(content)
        by_age = sorted(path.parent.glob("*.onnx"), key=lambda each: each.stat().st_mtime)
        for old in by_age[:-MOST]:
            old.unlink()
    except OSError as error:
        LOG.info("the export is not kept: %s", error)
