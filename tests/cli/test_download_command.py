"""`tacit download`: where the file is in the end, what it is, and what to do where it cannot be had."""

import hashlib

import pytest
from commands import child, run

from tacit.cli import download as command

BODY = b"\x80\x02}q."


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path))
    return tmp_path


def test_download_tells_where_the_file_is(cache, monkeypatch, capsys):
    def download(published, progress):
        progress(1, len(BODY))
        progress(len(BODY), len(BODY))
        (cache / published.file).write_bytes(BODY)
        return cache / published.file

    monkeypatch.setattr(command, "download", download)
    assert run("download", "yolor-p6") == 0
    printed, bar = capsys.readouterr()
    assert printed.splitlines()[0] == str(cache / "yolor_p6.pt")
    assert f"{len(BODY)} bytes, licence GPL-3.0, SHA-256 {hashlib.sha256(BODY).hexdigest()}" in printed
    assert "no checksum" in printed
    assert bar == ""  # stderr is no terminal


def test_download_takes_what_is_there(cache, capsys):
    (cache / "yolor_w6.pt").write_bytes(BODY)
    assert run("download", "yolor-w6") == 0
    assert str(cache / "yolor_w6.pt") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("yolor-w6", "yolor_w6.pt has no address that a program could fetch it from. To do: fetch yolor_w6"),
        ("yolov4-p6", "no published file is known to fit yolov4-p6"),
        ("nano", "comes with tacit"),
        ("yolor_p6", "did you mean 'yolor-p6'"),
    ],
)
def test_download_of_what_cannot_be_had(name, told, capsys):
    assert run("download", name) == 2
    assert told in capsys.readouterr().err


def test_download_does_without_torch():
    code = (
        "import sys\nfrom tacit.cli import main\n"
        "assert main(['download', 'yolov4-p6']) == 2\nprint('torch' in sys.modules)"
    )
    assert child("-c", code).stdout == "False\n"
