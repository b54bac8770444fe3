"""What the pages say of the code is so: lines that they show, names that they name, numbers that they quote."""

import re

import pytest
from test_readme import ROOT, blocks

from tacit.data.captions import ENOUGH
from tacit.data.tags import LEAST_SEEN
from tacit.tasks.known import KNOWN
from tacit.tasks.task import Task

LEARN = ROOT / "docs/learn"
SOURCE = ROOT / "src/tacit"
KNOWLEDGE, TASKS = ((LEARN / name).read_text(encoding="utf-8") for name in ("knowledge.md", "tasks.md"))
NAMED = re.findall(r"((?:`\w+`(?:, )?)+) in `([\w/]+\.py)`", KNOWLEDGE)


def test_the_lines_shown_are_the_code_s():
    shown = blocks(LEARN / "knowledge.md", "py")
    assert len(shown) > 3
    for file, *lines in (code.splitlines() for code in shown):
        source = [line.strip() for line in (SOURCE / file.removeprefix("# ")).read_text(encoding="utf-8").splitlines()]
        assert [line for line in lines if line.strip() not in source] == []


@pytest.mark.parametrize(("names", "file"), NAMED)
def test_the_names_are_in_their_files(names, file):
    text = (SOURCE / file).read_text(encoding="utf-8")
    for name in re.findall(r"\w+", names):
        assert re.search(rf"^\s*(class |def )?{name}\b\s*[(:=]", text, re.MULTILINE), f"{name} is not in {file}"


def test_the_table_leads_from_every_equation_to_the_code():
    assert len(NAMED) > 12
    table = KNOWLEDGE.rpartition("| paper | in the code |")[2]
    assert {"3", "6", "7", "8", "9", "10"} <= set(re.findall(r"\d+", table))


def test_ten_minutes():
    """At 220 words a minute."""
    assert len(re.sub(r"\]\([^)]*\)", "]", KNOWLEDGE).split()) < 2200


def rows(heading):
    """The first column of the first table behind a heading."""
    table = TASKS.partition(heading)[2].partition("\n\n|")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip() for line in f"|{table}".splitlines()[2:]]


def test_every_task_has_its_row():
    assert [name.strip("`") for name in rows("# Seven tasks")] == list(KNOWN)


def test_what_a_task_has_to_say():
    told = set(re.findall(r"`(\w+)", " ".join(rows("## A task of your own"))))
    assert told == Task.__abstractmethods__ | {"name", "needs"}


def test_limits_of_truth_as_told():
    assert f"true while {ENOUGH:.0%} is left".replace("%", " %") in TASKS
    assert LEAST_SEEN == 0.5
    assert "true while half of the photograph is left" in TASKS
