"""`tacit models`: all that can be built by name, and the page that shows the same table."""

import json
from pathlib import Path

import pytest
from commands import child, run

from tacit.weights.published import PUBLISHED
from tacit.zoo import MODELS

PAGE = Path(__file__).parents[2] / "docs/models/zoo.md"
SHOWN = [name for name in MODELS if name != "debug"]


@pytest.fixture(scope="module")
def table():
    """What `tacit models` prints, once for all tests."""
    from contextlib import redirect_stdout
    from io import StringIO

    with redirect_stdout(StringIO()) as out:
        assert run("models") == 0
    return out.getvalue()


def test_models_lists_every_published_model_and_ours(table):
    rows = [line.split("│")[1:-1] for line in table.splitlines() if line.startswith("│")]
    assert [row[0].strip() for row in rows] == SHOWN
    assert len(SHOWN) == 15
    cells = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    assert cells["yolor-p6"] == ["37,265,016", "2,812", "1280", "325.12", "8 to 64", "52.5", "52.6", "49"]
    assert cells["yolor-s4-s2d"][-3:] == ["-", "-", "-"]


def test_models_is_quick():
    code = "import sys\nfrom tacit.cli import main\nmain(['models', '--json'])\nprint('torch' in sys.modules)"
    assert child("-c", code).stdout.splitlines()[-1] == "False"


def test_models_says_what_the_columns_mean(table):
    for words in ("GFLOPs there: 2 x multiplications and additions", "val2017", "percent", "V100"):
        assert words in table


def test_models_as_json(capsys):
    assert run("models", "--json") == 0
    records = {record["name"]: record for record in json.loads(capsys.readouterr().out)}
    assert list(records) == SHOWN
    assert records["yolov4-p7"] == {
        "name": "yolov4-p7",
        "parameters": 287_566_300,
        "knowledge_parameters": 0,
        "input_size": 1536,
        "gflops": 1636.7,
        "strides": [8, 16, 32, 64, 128],
        "published_ap_val": None,
        "published_ap_test": 55.5,
        "published_fps_v100": 16.0,
        "published_in": PUBLISHED["yolov4-p7"].source,
        "file": None,
        "address": None,
        "licence": "GPL-3.0",
    }


def test_the_page_shows_what_the_command_prints(table):
    assert f"```text\n{table}```" in PAGE.read_text(encoding="utf-8")


def test_the_page_tells_every_file_and_its_address():
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    told = {row.split("`")[1]: row for row in rows}
    assert set(told) == {name for name, each in PUBLISHED.items() if each.file}
    for name, row in told.items():
        assert f"`{PUBLISHED[name].file}`" in row
        assert ("| yes |" in row) == (PUBLISHED[name].address is not None)
