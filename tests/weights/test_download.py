"""Downloads: whole and right or not at all, whatever the server does; and what a person is told."""

import hashlib
import io
import random
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from commands import child

from tacit.api import create, load
from tacit.errors import ConfigError, WeightsError
from tacit.weights import fetch
from tacit.weights.download import cache_folder, cached, checksum, download, located
from tacit.weights.published import PUBLISHED, Published, published


def checkpoint(seed: int) -> bytes:
    """A zip file as torch.save writes it, of 700,000 random bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", random.Random(seed).randbytes(700_000))
    return file.getvalue()


BODY, OTHER = checkpoint(0), checkpoint(1)
HALF = len(BODY) // 2
Handler = BaseHTTPRequestHandler
Answer = Callable[[Handler], None]


@dataclass
class Server:
    """Gives the answers one after the other, the last one for ever, and remembers what was asked."""

    address: str
    answers: list[Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def published(self, **facts: object) -> Published:
        here = {"address": f"{self.address}/weights.pt", "file": "weights.pt"}
        return Published(name="test", model=None, input_size=64, **{**here, **facts})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Scripted(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.asked.append(dict(self.headers))
            self.close_connection = True
            (state.answers.pop(0) if len(state.answers) > 1 else state.answers[0])(self)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as http:
        state = Server(f"http://127.0.0.1:{http.server_address[1]}")
        http.handle_error = lambda *_: None  # a client that hangs up is no fault of the server
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


def send(body: bytes, status: int = 200, *, sent: bytes | None = None, **headers: str) -> Answer:
    """The answer with that body, of which only `sent` goes out before the connection ends."""

    def answer(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), "ETag": '"a"', **headers}.items():
            if value:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body if sent is None else sent)

    return answer


def rest(body: bytes, start: int, **headers: str) -> Answer:
    """The rest of the body from `start` on, as asked for."""
    told = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}", **headers}
    return send(body[start:], 206, **told)


def get(server: Server, folder: Path, **facts: object) -> bytes:
    return download(server.published(**facts), folder, local=True).read_bytes()


def left(folder: Path) -> list[str]:
    """What lies in the folder but locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


BROKEN = send(BODY, sent=BODY[:HALF])


def test_a_whole_file_arrives_and_the_progress_is_told(server: Server, tmp_path: Path) -> None:
    server.answers = [send(BODY)]
    told: list[tuple[int, int]] = []
    facts = server.published(size=len(BODY), sha256=hashlib.sha256(BODY).hexdigest())
    path = download(facts, tmp_path / "new" / "folder", progress=lambda *step: told.append(step), local=True)
    assert path == tmp_path / "new/folder/weights.pt"
    assert path.read_bytes() == BODY
    assert left(path.parent) == ["weights.pt"]
    assert told == sorted(set(told))
    assert told[-1] == (len(BODY), len(BODY))
    assert len(told) > 2
    assert checksum(path) == facts.sha256


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    server.answers = [send(BODY)]
    assert get(server, tmp_path) == get(server, tmp_path) == BODY
    assert len(server.asked) == 1


def test_after_a_break_the_rest_is_asked_for(server: Server, tmp_path: Path) -> None:
    server.answers = [BROKEN, rest(BODY, HALF)]
    assert get(server, tmp_path) == BODY
    assert "Range" not in server.asked[0]
    assert server.asked[1]["Range"] == f"bytes={HALF}-"
    assert server.asked[1]["If-Range"] == '"a"'
    assert left(tmp_path) == ["weights.pt"]


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(server: Server, tmp_path: Path) -> None:
    server.answers = [BROKEN, rest(BODY, HALF, Content_Length="")]
    server.answers[1:1] = [send(b"x" * 9, 206, sent=b"", Content_Range=f"bytes {HALF}-{len(BODY) - 1}/{len(BODY)}")] * 4
    with pytest.raises(WeightsError, match=rf"broke off 5 times, the last time after {HALF:,} bytes.*try again"):
        get(server, tmp_path)
    assert left(tmp_path) == ["weights.pt.part", "weights.pt.part.json"]
    assert get(server, tmp_path) == BODY
    assert [asked.get("Range") for asked in server.asked] == [None, *[f"bytes={HALF}-"] * 5]


def test_a_file_that_was_whole_but_for_its_name_needs_no_server(server: Server, tmp_path: Path) -> None:
    server.answers = [send(BODY)]
    get(server, tmp_path)
    (tmp_path / "weights.pt").rename(tmp_path / "weights.pt.part")
    note = f'{{"address": "{server.address}/weights.pt", "total": {len(BODY)}, "mark": ""}}'
    (tmp_path / "weights.pt.part.json").write_text(note)
    assert get(server, tmp_path) == BODY
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "second",
    [
        send(OTHER, ETag='"b"'),  # as it should: the condition failed, so the whole new file comes
        send(OTHER),  # ignores Range
        rest(OTHER, HALF, ETag='"b"'),  # ignores the condition
        rest(BODY, HALF, Content_Range=f"bytes 0-{len(BODY) - 1}/{len(BODY)}"),  # of another range
        rest(BODY, HALF, Content_Range=f"bytes {HALF}-{len(BODY) - 1}/{len(BODY) + 1}"),  # of a longer file
        rest(BODY, HALF, Content_Range=""),
        send(b"", 416),
    ],
)
def test_a_file_that_changed_meanwhile_is_not_glued_together(second: Answer, server: Server, tmp_path: Path) -> None:
    server.answers = [BROKEN, second, send(OTHER, ETag='"b"')]
    assert get(server, tmp_path) == OTHER


@pytest.mark.parametrize("mark", [{"ETag": ""}, {"ETag": 'W/"a"'}])
def test_a_file_without_a_mark_starts_anew(mark: dict[str, str], server: Server, tmp_path: Path) -> None:
    server.answers = [send(BODY, sent=BODY[:HALF], **mark), send(OTHER, **mark)]
    assert get(server, tmp_path) == OTHER
    assert "Range" not in server.asked[1]


def test_a_date_is_a_mark_too(server: Server, tmp_path: Path) -> None:
    date = {"ETag": "", "Last_Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.answers = [send(BODY, sent=BODY[:HALF], **date), rest(BODY, HALF, **date)]
    assert get(server, tmp_path) == BODY
    assert server.asked[1]["If-Range"] == date["Last_Modified"]


@pytest.mark.parametrize("note", ["", "[]", "{", '{"address": 1, "total": "9", "mark": null}', "\xff"])
def test_a_part_of_unknown_origin_is_dropped(note: str, server: Server, tmp_path: Path) -> None:
    (tmp_path / "weights.pt.part").write_bytes(OTHER[:HALF])
    (tmp_path / "weights.pt.part.json").write_text(note, encoding="latin-1")
    server.answers = [send(BODY)]
    assert get(server, tmp_path) == BODY
    assert "Range" not in server.asked[0]


def test_silence_is_a_break(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = threading.Event()

    def stall(handler: Handler) -> None:
        BROKEN(handler)
        handler.wfile.flush()
        heard.wait(30)

    monkeypatch.setattr(fetch, "TIMEOUT", 0.3)
    server.answers = [stall, send(BODY)]
    try:
        assert get(server, tmp_path) == BODY
    finally:
        heard.set()


PAGE = b"<!DOCTYPE html><html>Sign in</html>"


@pytest.mark.parametrize(
    ("answer", "facts", "told"),
    [
        (send(PAGE, Content_Type="text/html; charset=utf-8"), {}, "web page"),
        (send(PAGE), {}, "no whole checkpoint"),
        (send(BODY[:-50]), {}, "no whole checkpoint"),  # a length that is a lie, and kept
        (send(b"PK\x03\x04"), {}, "no whole checkpoint"),
        (send(BODY, Content_Length=str(len(BODY) + 9)), {}, "broke off 5 times"),
        (send(BODY, Content_Length=""), {}, "does not tell how long"),
        (send(BODY, Content_Length="-1"), {}, "does not tell how long"),
        (send(b""), {}, "has 0 bytes"),
        (send(BODY, Content_Length=str(1 << 40)), {}, r"1,099,511,627,776 bytes. Allowed: 4,294,967,296 or less"),
        (send(BODY), {"size": 7}, rf"has {len(BODY):,} bytes. Allowed: 7"),
        (send(BODY), {"sha256": "0" * 64}, "another file than the one published. Allowed: SHA-256 000"),
        (send(BODY, Content_Encoding="gzip"), {}, "something else than the plain file"),
        (send(b"", 204, Content_Length=""), {}, "answered 204"),
        (send(b"gone", 404), {}, r"answered 404 \(Not Found\)"),
        (send(b"", 503), {}, "answered 503"),
    ],
)
def test_what_is_not_the_file_never_gets_its_name(
    answer: Answer, facts: dict[str, object], told: str, server: Server, tmp_path: Path
) -> None:
    server.answers = [answer]
    with pytest.raises(WeightsError, match=told) as caught:
        get(server, tmp_path, **facts)
    assert f"by other means and put it at {tmp_path / 'weights.pt'}." in str(caught.value)
    assert not (tmp_path / "weights.pt").exists()
    if "broke off" not in told:
        assert left(tmp_path) == []


def test_a_body_longer_than_the_file_is_refused(server: Server, tmp_path: Path) -> None:
    def chunked(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(2):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(BODY), BODY))
        handler.wfile.write(b"0\r\n\r\n")

    server.answers = [chunked]
    with pytest.raises(WeightsError, match=rf"more than the {len(BODY):,} bytes"):
        get(server, tmp_path, size=len(BODY))
    assert left(tmp_path) == []


def to(place: str) -> Answer:
    return send(b"", 302, Location=place)


def test_a_redirection_is_followed_with_the_range(server: Server, tmp_path: Path) -> None:
    server.answers = [to("/elsewhere"), BROKEN, to("/elsewhere"), rest(BODY, HALF)]
    assert get(server, tmp_path) == BODY
    assert [asked.get("Range") for asked in server.asked] == [None, None, *[f"bytes={HALF}-"] * 2]


@pytest.mark.parametrize(
    "place", ["file:///etc/hostname", "ftp://127.0.0.1/x", "http://example.invalid/x", "data:,x", "//:80/x", "/loop"]
)
def test_a_redirection_to_elsewhere_is_not(place: str, server: Server, tmp_path: Path) -> None:
    server.answers = [to(place)]
    with pytest.raises(WeightsError, match=r"is not fetched|answered 302"):
        get(server, tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://x/y", "http://example.invalid/x", "https://", "x"])
@pytest.mark.parametrize("local", [False, True])
def test_other_addresses_than_https_are_refused(address: str, local: bool, tmp_path: Path) -> None:
    facts = Published(name="test", model=None, input_size=64, file="x.pt", address=address)
    with pytest.raises(WeightsError, match="is not fetched"):
        download(facts, tmp_path, local=local)


def test_plain_http_from_here_is_refused_unless_asked_for(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="Allowed: https addresses"):
        download(server.published(), tmp_path)
    assert server.asked == []


def test_offline_tells_where_to_put_the_file(tmp_path: Path) -> None:
    facts = Published(name="test", model=None, input_size=64, file="x.pt", address="http://127.0.0.1:1/x.pt")
    with pytest.raises(WeightsError, match=r"127.0.0.1 cannot be reached \(.*refused\)") as caught:
        download(facts, tmp_path, local=True)
    assert caught.value.fix == f"fetch http://127.0.0.1:1/x.pt by other means and put it at {tmp_path / 'x.pt'}"


def test_a_file_put_there_by_hand_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "yolor_w6.pt").write_bytes(PAGE)
    with pytest.raises(WeightsError, match=r"yolor_w6.pt is no whole checkpoint.*put it at"):
        download(PUBLISHED["yolor-w6"], tmp_path)
    (tmp_path / "yolor_w6.pt").write_bytes(BODY)
    assert download(PUBLISHED["yolor-w6"], tmp_path).read_bytes() == BODY


def test_an_old_checkpoint_is_a_pickle(server: Server, tmp_path: Path) -> None:
    server.answers = [send(b"\x80\x02}q.")]
    assert get(server, tmp_path) == b"\x80\x02}q."


def test_a_second_process_keeps_its_hands_off(server: Server, tmp_path: Path) -> None:
    server.answers = [send(BODY)]
    (tmp_path / "weights.pt.part").write_bytes(b"of the first")
    lock = tmp_path / ".weights.pt.lock"
    code = f"import fcntl, sys; fcntl.flock(open({str(lock)!r}, 'ab'), fcntl.LOCK_EX | fcntl.LOCK_NB); print('free')"
    with fetch._alone(tmp_path / "weights.pt"):
        assert "BlockingIOError" in child("-c", code).stderr
        with pytest.raises(WeightsError, match=r"another process is fetching weights\.pt"):
            get(server, tmp_path)
    assert (tmp_path / "weights.pt.part").read_bytes() == b"of the first"
    assert child("-c", code).stdout == "free\n"
    assert get(server, tmp_path) == BODY


def test_what_another_process_finished_meanwhile_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(BODY)
    remote = fetch.Remote(address=f"{server.address}/weights.pt", path=tmp_path / "weights.pt", local=True)
    fetch.fetch(remote, lambda _: None, lambda *_: None)
    assert server.asked == []


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TACIT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / ".cache/tacit"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache_folder() == Path("/elsewhere/tacit")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert cache_folder() == Path("/local/tacit")
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_cached_files_are_found_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    assert cached("yolor-p6") is None
    (tmp_path / "yolor_p6.pt").write_bytes(BODY)
    assert cached("yolor-p6") == tmp_path / "yolor_p6.pt"
    assert [cached(name) for name in ("yolor-p6-paper", "yolov4-p7", "nano", "no-such-name")] == [None] * 4


def test_weights_are_meant_by_path_or_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    assert located("runs/best.safetensors") == located(Path("runs/best.safetensors")) == Path("runs/best.safetensors")
    with pytest.raises(WeightsError, match=r"the weights yolor-p6 are not in .*fetch them: tacit download yolor-p6"):
        located("yolor-p6")
    with pytest.raises(WeightsError, match=r"no published weights are known to fit yolov4-p7. To do: name a file"):
        located("yolov4-p7")
    assert located("nano").is_file()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/yolor_p6.pt").write_bytes(BODY)
    assert located("yolor-p6") == tmp_path / "cache/yolor_p6.pt"
    (tmp_path / "yolor-p6").write_bytes(BODY)  # what is there under that very name comes first
    assert located("yolor-p6") == Path("yolor-p6")


def test_python_and_the_commands_load_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    assert load("nano").record.model == "nano"
    with pytest.raises(WeightsError, match="tacit download yolor-d6"):
        load("yolor-d6")
    with pytest.raises(WeightsError, match="tacit download yolor-d6"):
        create("yolor-d6", 2, weights="yolor-d6")
    assert "nano.safetensors" in create("nano", 80, weights="nano").origin
    (tmp_path / "yolor-d6.pt").write_bytes(PAGE)
    with pytest.raises(WeightsError, match=r"yolor-d6\.pt"):
        load("yolor-d6")


def test_a_model_without_a_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no published file is known to fit yolov4-p7. Allowed: yolor-csp, "):
        download(PUBLISHED["yolov4-p7"], tmp_path)
    with pytest.raises(WeightsError, match=r"yolor_w6.pt has no address .* fetch yolor_w6.pt by other means"):
        download(PUBLISHED["yolor-w6"], tmp_path)


def test_unknown_names_are_told_what_is_near() -> None:
    with pytest.raises(ConfigError, match=r"nothing is published as 'yolor_p6'.*did you mean 'yolor-p6'"):
        published("yolor_p6")
    assert published("yolor-p6") is PUBLISHED["yolor-p6"]


def test_the_table_of_what_is_published_is_sound() -> None:
    files = [each.file for each in PUBLISHED.values() if each.file]
    assert len(set(files)) == len(files)
    assert all(Path(file).name == file and file.endswith(".pt") for file in files)
    for each in PUBLISHED.values():
        assert (each.licence == "GPL-3.0") == (each.name != "nano")
        assert each.address is None or each.address.endswith(f"/download/weights/{each.file}")
        figures = (each.ap_val, each.ap_test, each.fps)
        assert bool(each.source) == any(figures)


def test_facts_and_downloads_do_without_torch() -> None:
    code = "import sys, tacit.weights.download; print(sorted({'torch', 'numpy', 'rich'} & set(sys.modules)))"
    assert child("-c", code).stdout == "[]\n"
