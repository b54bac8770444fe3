"""On a cluster of this machine: every photograph is answered exactly once, whoever is killed or stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import islice

import psutil
import pytest
from commands import run
from pyarrow import parquet

import tacit
from tacit.cli.cluster import Order
from tacit.errors import ConfigError
from tacit.scale import cluster
from tacit.scale.plan import PlanFolder
from tacit.scale.rows import parquet_of
from tacit.scale.run import Crew, answer_missing
from tacit.scale.sources import photographs
from tacit.scale.worker import answered
from tacit.weights.files import save

pytestmark = pytest.mark.filterwarnings("ignore::Warning")  # Ray's own, about itself
PHOTOGRAPHS, SHARD = 400, 4


@pytest.fixture
def weights(tmp_path):
    model = tacit.create("debug", ["cup", "hat"])
    save(model.network, model.record, tmp_path / "debug.safetensors")
    return tmp_path / "debug.safetensors"


@pytest.fixture
def many(tmp_path, photos):
    """The same few photographs under many names, and one that is none."""
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(PHOTOGRAPHS - 1):
        (folder / f"{i:03d}.png").symlink_to(photos / f"{i % 5}.png")
    (folder / "broken.png").write_bytes(b"broken")
    return folder


def children():
    """All that run for this process, with their titles."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it is no more
            yield child, " ".join(child.cmdline())


def workers():
    return [child for child, title in children() if "MapWorker" in title]


def listening():
    addresses = set()
    for process in (psutil.Process(), *(child for child, _ in children())):
        with suppress(psutil.Error):
            ports = process.net_connections("inet")
            addresses |= {port.laddr.ip for port in ports if port.status == psutil.CONN_LISTEN}
    return addresses


def interrupted(command, folder):
    """Runs until a shard is there, then Ctrl-C; the exit code and what was said."""

    def not_ignored():
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes, preexec_fn=not_ignored, start_new_session=True)
    until = time.monotonic() + 120
    while not any(folder.glob("*.parquet")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: Ray's own processes hear it too
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.results.iterdir()}


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(many, weights, tmp_path):
    """And a shard of an earlier run is left as it is."""
    order, folder = Order.of(weights, size=64), PlanFolder(tmp_path / "out")
    plan = folder.begin(photographs([str(many)]), SHARD, order.facts())
    first = list(islice(photographs([str(many)]), SHARD))
    folder.write(0, parquet_of(list(answered(order(), first, "", SHARD))))
    before, killed = stamps(folder), False
    with cluster.connected(cpus=2) as cpus:
        assert cpus == 2
        for done in answer_missing(folder, plan, order, Crew(workers=cpus)):
            if not killed and done.shard >= 10:
                assert listening() <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
                workers()[0].kill()  # SIGKILL
                killed = True
    assert killed
    assert not workers()
    assert folder.missing(plan) == []
    assert before.items() <= stamps(folder).items()
    rows = parquet.read_table(folder.results).to_pylist()
    assert sorted(row["path"] for row in rows) == sorted(str(path) for path in many.iterdir())
    assert [row["path"] for row in rows if row["fault"]] == [str(many / "broken.png")]


@pytest.mark.slow
def test_ctrl_c_ends_it_and_it_can_go_on(many, weights, tmp_path, capsys):
    folder = PlanFolder(tmp_path / "out")
    options = ["--weights", str(weights), "--size", "64", "--shard", str(SHARD), "--out", str(folder.path)]
    command = ["predict", str(many), *options, "--cluster", "auto"]
    code, said = interrupted([sys.executable, "-m", "tacit", *command], folder.results)
    assert (code, said.strip().splitlines()[-1]) == (130, "interrupted")
    assert 0 < len(stamps(folder)) < PHOTOGRAPHS // SHARD
    assert all(name.endswith(".parquet") for name in stamps(folder))
    order = Order.of(weights, size=64)
    plan = folder.begin(photographs([str(many)]), SHARD, order.facts())
    for shard in folder.missing(plan):
        folder.write(shard, b"")  # as if it had gone on
    assert run(*command) == 0  # nothing is left to do, and no cluster is started for it
    assert "100 of 100 shards were there already" in capsys.readouterr().out


def test_an_address_where_nothing_listens():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    start = time.monotonic()
    with pytest.raises(ConfigError, match=f"no cluster answers at {address}"), cluster.connected(address):
        pass
    assert time.monotonic() - start < 2 * cluster.PATIENCE


@pytest.mark.parametrize("address", ["head", "ray://head:10001", "head:port", ":6379", "head:99999"])
def test_what_is_no_address(address):
    with pytest.raises(ConfigError, match="is no address"):
        cluster.require_answer(address)


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'tacit\[scale\]'"):
        cluster.require_extra()


@pytest.mark.parametrize("options", [["--json"], ["--coco"], ["--only", "detect"]])
def test_what_goes_not_with_a_cluster(photos, options, capsys):
    assert run("predict", photos, "--cluster", "auto", *options) == 2
    assert f"{options[0]} goes not with --cluster" in capsys.readouterr().err
