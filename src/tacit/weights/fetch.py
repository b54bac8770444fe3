"""One file from a server into a folder: whole and the right one, or not at all.

Notable features
- After a break the rest is asked for, on condition that the file on the server is still the one it was (ETag or date).
- The length must be told beforehand and kept; the last word has the caller's check, before the file gets its name.
- https only, also after a redirection.
- A lock, which ends with the process that holds it, keeps a second process from writing the same file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from time import sleep
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from tacit import __version__
from tacit.errors import WeightsError
from tacit.weights.part import Part, Version

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TRIES = 5  # connections for one file
PAUSE = 2.0  # seconds before the next one
TIMEOUT = 30.0  # seconds without a byte
PIECE = 1 << 18  # bytes
LARGEST = 4 << 30  # bytes; three times the largest published network
OK, REST, ENDS_BEFORE = 200, 206, 416  # answers: the whole file, the part asked for, there is no such part
HERE = frozenset({"localhost", "127.0.0.1", "::1"})

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


@dataclass(frozen=True, kw_only=True)
class Remote:
    """What to fetch, and where to."""

    address: str
    path: Path
    size: int | None = None
    """Bytes, where they are known beforehand."""
    local: bool = False
    """Plain http will do, from this very machine only."""

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.address).hostname or self.address


def fetch(remote: Remote, check: Callable[[Path], None], progress: Progress) -> None:
    """Have the file at `remote.path`; what `check` raises WeightsError for never gets there.

    Raises WeightsError for a server that cannot be reached, answers something else, or breaks off again and again.
    """
    remote.path.parent.mkdir(parents=True, exist_ok=True)
    part = Part(remote.address, remote.path)
    with _alone(remote.path):
        if remote.path.is_file():  # another process was quicker
            return
        for attempt in range(TRIES):
            sleep(PAUSE if attempt else 0)
            if part.complete or _go_on(remote, part, progress):
                part.become(remote.path, check)
                return
    raise WeightsError(
        f"{remote.host} broke off {TRIES} times, the last time after {part.length:,} bytes",
        fix="try again, what has come so far is kept",
    )


def _go_on(remote: Remote, part: Part, progress: Progress) -> bool:
    """Whether the file is whole after one more connection."""
    answer = _ask(remote, _from_where(part))
    if answer is None:
        part.forget()
        return False
    with answer:
        if answer.status != REST:
            part.begin(_version(answer, remote))
        elif not _continues(answer, part):
            part.forget()
            return False
        return _take(answer, part, progress)


def _from_where(part: Part) -> dict[str, str]:
    """Headers that ask for the rest, where there is something to go on with."""
    version = part.version
    if version is None or not version.mark or not 0 < part.length < version.total:
        return {}
    return {"Range": f"bytes={part.length}-", "If-Range": version.mark}


def _ask(remote: Remote, headers: dict[str, str]) -> HTTPResponse | None:
    """The server's answer; None where its file ends before the part that is asked for."""
    _insist_on_https(remote.address, remote.local)
    own = {"User-Agent": f"tacit/{__version__}", "Accept-Encoding": "identity"}
    question = request.Request(remote.address, headers={**own, **headers})  # noqa: S310  (looked at above)
    try:
        answer = _opener(remote.local).open(question, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if error.code == ENDS_BEFORE:
            return None
        answered = f"{error.code} ({' '.join(str(error.reason).split())})"
        raise WeightsError(f"{remote.host} answered {answered}") from error
    except (URLError, OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise WeightsError(f"{remote.host} cannot be reached ({reason})") from error
    assert isinstance(answer, HTTPResponse)
    return answer


def _version(answer: HTTPResponse, remote: Remote) -> Version:
    """What the server is about to send, from its first byte on. Raises WeightsError for what is not the file."""
    headers = answer.headers
    if headers.get_content_type() in {"text/html", "application/xhtml+xml"}:
        raise WeightsError(f"{remote.host} sends a web page in the place of the file")
    if answer.status != OK or headers.get("Content-Encoding", "identity") != "identity":
        raise WeightsError(f"{remote.host} answered {answer.status} with something else than the plain file")
    told = headers.get("Content-Length", "")
    total = int(told) if told.isdecimal() else remote.size
    if total is None:
        raise WeightsError(f"{remote.host} does not tell how long the file is, so a cut off one would pass for whole")
    if not 0 < total <= LARGEST or remote.size not in {None, total}:
        right = f"{LARGEST:,} or less" if remote.size is None else f"{remote.size:,}"
        raise WeightsError(f"the file at {remote.host} has {total:,} bytes", allowed=right)
    return Version(address=remote.address, total=total, mark=_mark(headers))


def _mark(headers: HTTPMessage) -> str:
    tag = headers.get("ETag", "")
    mark = headers.get("Last-Modified", "") if tag.startswith("W/") else tag or headers.get("Last-Modified", "")
    return mark if mark.isprintable() and mark.isascii() else ""


def _continues(answer: HTTPResponse, part: Part) -> bool:
    """Whether what comes is the rest, all of it, of the version that is there."""
    version = part.version
    if version is None:
        return False
    right = f"bytes {part.length}-{version.total - 1}/{version.total}"
    return answer.headers.get("Content-Range", "") == right and _mark(answer.headers) in {"", version.mark}


def _take(answer: HTTPResponse, part: Part, progress: Progress) -> bool:
    """Adds what comes to `part`; whether it is whole then."""
    assert part.version is not None
    total = part.version.total
    with part.path.open("ab") as file:
        for piece in _pieces(answer):
            file.write(piece)
            if file.tell() > total:
                part.forget()
                raise WeightsError(f"the server sends more than the {total:,} bytes that the file should have")
            progress(file.tell(), total)
    return part.complete


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    """The body, as far as it comes."""
    try:
        while piece := answer.read(PIECE):
            yield piece
    except (OSError, HTTPException):  # silence, a reset, an end before its time: the next connection goes on
        return


def _opener(local: bool) -> request.OpenerDirector:
    """Opens https, and http where it is allowed; no files, no ftp, which urllib's usual one would."""
    opener = request.OpenerDirector()
    ways = (request.HTTPHandler(),) if local else (request.ProxyHandler(), request.HTTPSHandler())
    for handler in (*ways, request.HTTPDefaultErrorHandler(), request.HTTPErrorProcessor(), _Redirects(local)):
        opener.add_handler(handler)
    return opener


class _Redirects(request.HTTPRedirectHandler):
    """Follows a redirection to where a first request might go, too."""

    def __init__(self, local: bool) -> None:
        self.local = local

    def redirect_request(
        self, req: request.Request, fp: Any, code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> request.Request | None:
        try:
            _insist_on_https(newurl, self.local)
        except WeightsError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _insist_on_https(address: str, local: bool) -> None:
    parts = urlsplit(address)
    at_home = local and parts.scheme == "http" and parts.hostname in HERE
    if not parts.hostname or not (parts.scheme == "https" or at_home):
        raise WeightsError(f"{address} is not fetched", allowed="https addresses")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Raises WeightsError while another process fetches the same file."""
    with path.with_name(f".{path.name}.lock").open("ab") as file:
        try:
            if sys.platform == "win32":
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WeightsError(f"another process is fetching {path.name}", fix="wait until it has ended") from error
        yield
