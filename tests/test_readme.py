"""What README and docs show, works: Python snippets are run, commands too or, where they would train, parsed."""

import re
import shlex
from pathlib import Path

import pytest

from tacit.cli import COMMANDS, main
from tacit.cli.screen import gathered, parse
from tacit.cli.study import Options as StudyOptions
from tacit.cli.train import LISTS
from tacit.cli.train import Options as TrainOptions
from tacit.cli.val import Options as ValOptions

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page, wanted):
    """The code blocks of a page in one language."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [code for language, code in found if language == wanted]


SNIPPETS = [(page.name, code) for page in PAGES for code in blocks(page, "python")]
LINES = [line.split("#")[0].strip() for page in PAGES for code in blocks(page, "sh") for line in code.splitlines()]
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


@pytest.mark.parametrize(
    "line", [words for words in COMMAND_LINES if any(word.startswith("src/") for word in words)], ids=" ".join
)
def test_prediction_as_shown_finds_something(line, here, capsys):
    assert main(line) == 0
    assert "1 x " in capsys.readouterr().out


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if "path/to/raccoon" in line[1:2]], ids=" ".join)
def test_looking_at_data_as_shown(line, here, data_root):
    assert main([word.replace("path/to", str(data_root)) for word in line]) == 0


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if line[0] in {"train", "val", "study"}], ids=" ".join)
def test_long_commands_as_shown_are_understood(line):
    kinds = {"train": TrainOptions, "val": ValOptions, "study": StudyOptions}
    options = parse(kinds[line[0]], gathered(line[1:], LISTS), line[0])
    assert options


@pytest.mark.parametrize(("page", "code"), SNIPPETS)
def test_snippets_run(page, code, here, capsys):
    exec(compile(code, page, "exec"), {"__name__": "snippet"})
    if "print(" in code:
        assert capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("http") and not (page.parent / link).exists()] == []
