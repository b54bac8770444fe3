"""Published weights in the cache folder: fetched, checked, found again; and what to do by hand where that fails."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from functools import partial
from importlib.resources import files
from pathlib import Path

from tacit.errors import ConfigError, WeightsError
from tacit.weights.fetch import Progress, Remote, fetch
from tacit.weights.published import PUBLISHED, Published

PICKLE = b"\x80"  # how a checkpoint of old begins; those of torch 1.6 and later are zip files
ZIP = b"PK\x03\x04"


def cache_folder() -> Path:
    """Where downloaded weights lie: TACIT_CACHE, or `tacit` where the platform keeps such files."""
    if own := os.environ.get("TACIT_CACHE"):
        return Path(own).expanduser()
    of_platform = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return (Path(of_platform) if of_platform else Path.home() / ".cache") / "tacit"


def cached(name: str) -> Path | None:
    """The downloaded file of the published weights `name`; None where there is none, or no such name."""
    file = PUBLISHED[name].file if name in PUBLISHED else None
    path = cache_folder() / file if file else None
    return path if path is not None and path.is_file() else None


def located(weights: str | Path) -> Path:
    """The file that is meant: the one at that path, or else the downloaded (or bundled) one of that name.

    Raises WeightsError for published weights that are not here, and says how to get them.
    """
    name = str(weights)
    if name not in PUBLISHED or Path(weights).is_file():
        return Path(weights)
    facts = PUBLISHED[name]
    if facts.bundled:
        return Path(str(files("tacit") / "weights" / f"{name}.safetensors"))
    if facts.file is None:
        raise WeightsError(f"no published weights are known to fit {name}", fix="name a file, or train your own")
    path = cached(name)
    if path is None:
        raise WeightsError(f"the weights {name} are not in {cache_folder()}", fix=f"fetch them: tacit download {name}")
    return path


def download(
    published: Published, folder: Path | None = None, *, progress: Progress = lambda *_: None, local: bool = False
) -> Path:
    """The file of `published`, in `folder` or the cache; fetched if it is not there yet.

    `progress` is told the bytes so far and in all. `local` admits plain http from this very machine (for tests).
    Raises ConfigError where no file is published, WeightsError where it cannot be fetched or is not what it should be;
    the message says how to put it there by hand.
    """
    if published.bundled:
        raise ConfigError(f"{published.name} comes with tacit, there is nothing to fetch", fix="use it by its name")
    if published.file is None:
        raise ConfigError(
            f"no published file is known to fit {published.name}",
            allowed=", ".join(name for name, each in PUBLISHED.items() if each.file),
        )
    path = (folder or cache_folder()) / published.file
    try:
        if path.is_file():
            _check(path, published)
        elif published.address is None:
            raise WeightsError(f"{published.file} has no address that a program could fetch it from")
        else:
            remote = Remote(address=published.address, path=path, size=published.size, local=local)
            fetch(remote, partial(_check, published=published), progress)
    except WeightsError as error:
        by_hand = f"fetch {published.address or published.file} by other means and put it at {path}"
        fix = f"{error.fix}; or {by_hand}" if error.fix else by_hand
        raise WeightsError(error.wrong, allowed=error.allowed, fix=fix) from error
    return path


def checksum(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(path: Path, published: Published) -> None:
    """Raises WeightsError for a file that is another one, cut off, or no checkpoint at all."""
    size = path.stat().st_size
    if published.size not in {None, size}:
        raise WeightsError(f"{path.name} has {size:,} bytes", allowed=f"{published.size:,}")
    if published.sha256 and checksum(path) != published.sha256:
        raise WeightsError(f"{path.name} is another file than the one published", allowed=f"SHA-256 {published.sha256}")
    with path.open("rb") as file:
        start = file.read(len(ZIP))
    if not (start.startswith(PICKLE) or (start == ZIP and zipfile.is_zipfile(path))):
        raise WeightsError(f"{path.name} is no whole checkpoint", allowed="a file as torch.save writes it")
