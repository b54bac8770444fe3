"""What the README shows, works: Python snippets are run, commands too or, where they would train, parsed."""

import re
import shlex
from pathlib import Path

import pytest

from tacit.cli import COMMANDS, main
from tacit.cli.screen import parse
from tacit.cli.train import Options as TrainOptions
from tacit.cli.val import Options as ValOptions

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
SNIPPETS = [code for language, code in BLOCKS if language == "python"]
LINES = [line.split("#")[0].strip() for language, code in BLOCKS if language == "sh" for line in code.splitlines()]
COMMAND_LINES = [shlex.split(line)[1:] for line in LINES if line.startswith("tacit ")]
TARGETS = [line.split()[1] for line in LINES if line.startswith("make ")]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with the sample photographs where the README names them."""
    (tmp_path / "src/tacit").mkdir(parents=True)
    (tmp_path / "src/tacit/samples").symlink_to(ROOT / "src/tacit/samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_two_commands_stand_first_and_exist():
    assert TARGETS[:2] == ["demo", "test"]
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(TARGETS) <= set(targets)


def test_every_command_is_shown():
    assert {line[0] for line in COMMAND_LINES} >= set(COMMANDS)


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if line[0] == "predict"], ids=" ".join)
def test_prediction_as_shown_finds_something(line, here, capsys):
    assert main(line) == 0
    assert "1 x " in capsys.readouterr().out


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if line[0] == "data"], ids=" ".join)
def test_looking_at_data_as_shown(line, here, data_root):
    assert main([word.replace("path/to", str(data_root)) for word in line]) == 0


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if line[0] in {"train", "val"}], ids=" ".join)
def test_long_commands_as_shown_are_understood(line):
    options = parse({"train": TrainOptions, "val": ValOptions}[line[0]], line[1:], line[0])
    assert options


@pytest.mark.parametrize("code", SNIPPETS, ids=[f"snippet {i}" for i in range(len(SNIPPETS))])
def test_snippets_run(code, here, capsys):
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    if "print(" in code:
        assert capsys.readouterr().out


def test_links_lead_somewhere():
    targets = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if not link.startswith("http")]
    assert targets
    assert [link for link in targets if not (ROOT / link).exists()] == []
