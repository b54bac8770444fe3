"""From names to files: what is taken, in which order, and what is refused."""

from pathlib import Path

import pytest

from tacit.errors import DataError
from tacit.predict.sources import expand

FILES = ["b.jpg", "a.PNG", "notes.txt", "sub/c.webp", "sub/deep/d.tif", ".hidden/e.jpg", ".f.jpg"]


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(folder, *sources):
    return [path.relative_to(folder).as_posix() for path in expand(sources).paths]


def test_a_folder_is_taken_sorted_with_all_below_and_counts_the_rest(folder):
    assert names(folder, folder) == ["a.PNG", "b.jpg", "sub/c.webp", "sub/deep/d.tif"]
    assert expand([folder]).ignored == 1


def test_sources_keep_their_order_and_each_file_comes_once(folder):
    assert names(folder, folder / "sub", str(folder / "b.jpg"), folder) == [
        "sub/c.webp",
        "sub/deep/d.tif",
        "b.jpg",
        "a.PNG",
    ]


def test_globs_are_expanded_sorted(folder):
    assert names(folder, f"{folder}/*.[jp]*") == ["b.jpg"]
    assert names(folder, f"{folder}/**/*.[wt]*") == ["notes.txt", "sub/c.webp", "sub/deep/d.tif"]


def test_a_glob_that_matches_folders_takes_what_is_in_them(folder):
    assert names(folder, f"{folder}/s*") == ["sub/c.webp", "sub/deep/d.tif"]


def test_a_file_that_is_named_is_taken_whatever_its_suffix(folder):
    assert names(folder, folder / "notes.txt") == ["notes.txt"]


def test_a_file_with_a_glob_character_in_its_name_is_a_file(folder):
    (folder / "odd[1].jpg").touch()
    assert names(folder, folder / "odd[1].jpg") == ["odd[1].jpg"]


def test_what_an_earlier_run_has_drawn_is_left_out_of_the_folders_above(folder, monkeypatch):
    drawn = folder / "sub" / "drawn"
    drawn.mkdir()
    (drawn / "b.jpg").touch()
    assert names(folder, folder)[2] == "sub/c.webp"
    assert "sub/drawn/b.jpg" in names(folder, folder)
    monkeypatch.chdir(folder)
    for source, output in ((folder, drawn), (".", Path("sub/drawn")), ("s*", drawn), (folder, Path("b/../sub/drawn"))):
        (folder / "b").mkdir(exist_ok=True)
        assert [path.name for path in expand([source], output).paths if path.name in {"b.jpg", "c.webp"}] == [
            *(["b.jpg"] if source != "s*" else []),
            "c.webp",
        ]
    assert [path.name for path in expand([drawn], drawn).paths] == ["b.jpg"]  # asked for by name


def test_home_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert expand(["~/b.jpg"]).paths == (folder / "b.jpg",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("bb.jpg", r"no file or folder .*bb\.jpg\. To do: perhaps you mean .*b\.jpg"),
        ("nowhere/at/all.jpg", "no file or folder .*check the spelling"),
        ("*.gif", r"nothing matches .*\*\.gif"),
        ("empty", "the folder .*empty has no images in it"),
    ],
)
def test_what_is_not_there_is_an_error_with_a_way_out(folder, source, message):
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match=message):
        expand([str(folder / source)])


def test_nothing_named_is_an_error():
    with pytest.raises(DataError, match="no photograph was named"):
        expand([])


def test_an_empty_name_is_not_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match="a source is empty"):
        expand([""])
    assert len(expand(["."]).paths) == 4


def test_a_null_byte_is_an_error():
    with pytest.raises(DataError, match="no file or folder"):
        expand([Path("a\0b.jpg")])


def test_a_home_that_is_not_there_is_an_error():
    with pytest.raises(DataError, match="no home folder for ~nosuchuser/x"):
        expand(["~nosuchuser/x"])
