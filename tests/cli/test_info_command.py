"""`tacit info`: a model by name, a weights file, the layers, the drawing, and names that are none."""

import pytest
from commands import run
from PIL import Image

from tacit.weights.record import Record


def rows(printed):
    """The tables' cells by their first one."""
    lines = [line for line in printed.splitlines() if line.startswith("│")]
    return {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.split("│")[1:-1]] for line in lines)}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def test_info_of_a_published_model(capsys):
    assert run("info", "yolor-p6") == 0
    told = rows(capsys.readouterr().out)
    assert told["published file"] == ["yolor_p6.pt, licence GPL-3.0"]
    assert told["in the cache"] == ["no"]
    assert told["published AP, COCO val2017, %"] == ["52.5"]
    assert told["parameters"] == ["37,265,016"]
    assert told["of them implicit knowledge"] == ["2,812"]
    assert told["GFLOPs (2 x MAC of the convolutions)"] == ["325.12"]
    assert told["anchors at stride 8, pixels"] == ["19 x 27, 44 x 40, 38 x 94"]
    blocks = {name: cells for name, cells in told.items() if len(cells) == 4 and cells[2] != "parameters"}
    assert blocks["trunk.pool"][:2] == ["SPPCSP", "320 x 20 x 20"]
    assert sum(int(cells[2].replace(",", "")) for cells in blocks.values()) == 37_265_016
    assert sum(float(cells[3]) for cells in blocks.values()) == pytest.approx(325.12, abs=0.1)


def test_info_tells_what_is_in_the_cache(cache, capsys):
    (cache / "yolor_p6.pt").write_bytes(b"PK")
    assert run("info", "yolor-p6") == 0
    assert str(cache)[:40] in rows(capsys.readouterr().out)["in the cache"][0]  # long paths are broken over lines


def test_info_of_another_training_is_that_of_its_model(capsys):
    assert run("info", "yolor-csp-star") == 0
    told = rows(capsys.readouterr().out)
    assert told["published file"] == ["yolor_csp_star.pt, licence GPL-3.0"]
    assert told["parameters"] == ["52,923,994"]
    assert "published AP, COCO val2017, %" not in told


def test_info_of_a_weights_file(weights, capsys):
    assert run("info", weights, "--layers", "--size", "64") == 0
    told = rows(capsys.readouterr().out)
    assert told["model"] == ["debug"]
    assert told["classes"] == ["square, disc"]
    assert told["licence"] == [Record(model="", classes=(), input_size=0).licence]
    assert told["input, pixels"] == ["64 x 64"]
    assert told["trunk.stages.1.0"][:2] == ["conv 3x3 /2, batch norm, SiLU", "16 x 8 x 8"]
    assert told["tasks.detect.heads.2.multiply"][0] == "multiply knowledge"


def test_what_a_file_says_does_not_steer_the_terminal(tmp_path, capsys):
    from tacit.weights.files import save
    from tacit.zoo import create

    record = Record(
        model="debug",
        classes=("\x1b[2Jcat", "[red]dog"),
        input_size=64,
        licence="MIT\nfake",
        figures={"AP": 0.25, "b": 1.0},
    )
    save(create("debug", 2), record, tmp_path / "x.safetensors")
    assert run("info", tmp_path / "x.safetensors") == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    told = rows(printed)
    assert told["classes"] == [r"'\x1b[2Jcat', [red]dog"]
    assert told["licence"] == [r"'MIT\nfake'"]
    assert told["figures"] == ["AP 0.25, b 1"]


def test_info_of_the_bundled_weights(capsys):
    from tacit.weights.files import bundled

    assert run("info", bundled("nano")) == 0
    told = rows(capsys.readouterr().out)
    assert told["classes"] == ["person, bicycle, car, motorcycle, airplane, and 75 more"]
    assert told["input, pixels"] == ["416 x 416"]


def test_info_draws(tmp_path, capsys):
    assert run("info", "debug", "--draw", tmp_path / "debug.png") == 0
    assert f"drawn to {tmp_path / 'debug.png'}" in capsys.readouterr().out
    with Image.open(tmp_path / "debug.png") as picture:
        assert min(picture.size) > 500


def test_info_draws_knowledge(weights, tmp_path, capsys):
    assert run("info", weights, "--draw-knowledge", tmp_path / "new") == 0
    assert f"drawn to {tmp_path / 'new' / 'knowledge-tasks.png'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("yolor-p7",), "nothing is published as 'yolor-p7'"),
        (("yolor_p6",), "did you mean 'yolor-p6'"),
        (("gone.safetensors",), "no weights file at gone.safetensors"),
        (("yolor-p6", "--size", "100"), "multiples of 64"),
        (("yolor-s",), "fetch it: tacit download yolor-s"),
        (("debug", "--draw", "x.gif"), "Allowed: .png, .svg, .pdf"),
        (("debug", "--draw-knowledge", "x"), "debug has no weights here"),
    ],
)
def test_info_of_what_is_not_there(arguments, told, capsys):
    assert run("info", *arguments) == 2
    assert told in capsys.readouterr().err
