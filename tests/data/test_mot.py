"""Films with numbered individuals: frames, boxes and numbers as stated, and every fault by its name."""

import pytest
from layouts import photo

from tacit.data.identities import UNKNOWN, IdentityLabels, number_of
from tacit.data.read import available_splits, read
from tacit.errors import DataError

LINES = ["1,1,9,9,20,16,1,1,1", "1,2,31,11,10,10,1,1,0.5", "2,1,11,9,20,16,1,1,1"]


def film(root, lines=LINES, frames=5, info=None, name="%06d.png"):
    for number in range(1, frames + 1):
        photo(root / "img1" / (name % number))
    (root / "gt").mkdir(parents=True, exist_ok=True)
    (root / "gt" / "gt.txt").write_text("\n".join(lines))
    if info is not None:
        (root / "seqinfo.ini").write_text(info)
    return root


def whole(path):
    """Both halves of what is held out, the frames in order, and the faults of one half."""
    train, val = read(path, "train"), read(path, "val")
    return [*train.samples, *val.samples], train.faults


def reasons(faults):
    return [fault.reason for fault in faults]


def test_boxes_and_individuals(tmp_path):
    samples, faults = whole(film(tmp_path / "a", info="[Sequence]\nname=a\nimDir=img1\nseqLength=5\n"))
    first, second, third = samples[:3]
    assert not faults
    assert first.boxes.tolist() == [[8, 8, 28, 24], [30, 10, 40, 20]]
    one, two = first.label(IdentityLabels).identities.tolist()
    assert one != two
    assert second.label(IdentityLabels).identities.tolist() == [one] == [number_of(str(tmp_path), "a", "1")]
    assert len(third.boxes) == 0
    assert third.boxed
    assert third.label(IdentityLabels).shot.frame == 3


def test_the_end_of_a_single_film_is_held_out(tmp_path):
    film(tmp_path)
    assert available_splits(tmp_path) == ("train", "val")
    assert [sample.path.stem for sample in read(tmp_path, "val").samples] == ["000005"]
    assert [sample.path.stem for sample in read(tmp_path, "train").samples] == [f"00000{i}" for i in range(1, 5)]


def test_of_several_films_whole_ones_are_held_out(tmp_path):
    for name in "abcde":
        film(tmp_path / "train" / name, frames=2)
    films = [{sample.path.parts[-3] for sample in read(tmp_path, split).samples} for split in ("train", "val")]
    assert [len(names) for names in films] == [4, 1]
    assert not films[0] & films[1]


def test_splits_of_the_source_stay(tmp_path):
    film(tmp_path / "train" / "a", frames=1)
    film(tmp_path / "val" / "b", frames=2)
    assert available_splits(tmp_path) == ("train", "val")
    assert len(read(tmp_path, "val").samples) == 2


def test_a_film_for_three_detectors_counts_once(tmp_path):
    for detector in ("DPM", "FRCNN", "SDP"):
        film(tmp_path / "val" / f"M-02-{detector}", frames=2)
    dataset = read(tmp_path, "val")
    assert len(dataset.samples) == 2
    assert reasons(dataset.faults) == ["is M-02 once more, counted once"] * 2


def test_who_is_not_to_be_counted_is_a_crowd_and_what_is_no_person_is_left_out(tmp_path):
    lines = ["1,1,1,1,9,9,0,1,1", "1,2,1,1,9,9,1,7,1", "1,3,1,1,9,9,0,3,1", "1,4,1,1,9,9,1,1,1"]
    samples, faults = whole(film(tmp_path, lines))
    assert samples[0].crowd.tolist() == [True, True, False]
    assert (samples[0].label(IdentityLabels).identities == UNKNOWN).tolist() == [True, True, False]
    assert reasons(faults) == ["1 boxes that are of no person, left out"]


def test_files_without_a_class_show_pedestrians(tmp_path):
    samples, _ = whole(film(tmp_path, ["1,1,1,1,9,9,1,-1,-1,-1", "2,1,1,1,9,9"]))
    assert [sample.crowd.tolist() for sample in samples[:2]] == [[False], [False]]


def test_boxes_beyond_the_edge_are_cut_without_a_word(tmp_path):
    samples, faults = whole(film(tmp_path, ["1,1,-20,-20,60,60,1,1,0.4"]))
    assert samples[0].boxes.tolist() == [[0, 0, 39, 39]]
    assert not faults


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,1,9,9,20", "has 5 columns"),
        ("1 1 9 9 20 16", "has 1 columns"),
        ("1,1,9,9,20,16,1,1,1,1,1", "has 11 columns"),
        ("1,one,9,9,20,16", "no number"),
        ("1.5,1,9,9,20,16", "no whole number"),
        ("nan,1,9,9,20,16", "no whole number"),
        ("-1,1,9,9,20,16", "no whole number"),
        ("1,1,9,9,inf,16", "no finite number"),
        ("1,1,900,9,20,16", "lies outside"),
        ("9,1,9,9,20,16", "labels frame 9, which is not there"),
    ],
)
def test_a_line_that_is_wrong_is_left_out_by_name(tmp_path, line, reason):
    samples, faults = whole(film(tmp_path, ["2,1,9,9,20,16", line]))
    assert reason in reasons(faults)[0]
    assert len(faults) == 1
    assert [len(sample.boxes) for sample in samples] == [0, 1, 0, 0, 0]


def test_nobody_is_in_a_frame_twice(tmp_path):
    samples, faults = whole(film(tmp_path, ["1,1,9,9,20,16", "1,1,12,9,20,16"]))
    assert reasons(faults) == ["individual 1 is twice in frame 1, left out"]
    assert len(samples[0].boxes) == 1


def test_frames_that_are_missing_are_told(tmp_path):
    _, faults = whole(film(tmp_path, info="[Sequence]\nseqLength=600\n"))
    assert reasons(faults) == ["should have 600 frames, 5 are there"]


def test_names_that_are_no_frames_are_told(tmp_path):
    photo(film(tmp_path) / "img1" / "cover.png")
    _, faults = whole(tmp_path)
    assert reasons(faults) == ["its name is no number of a frame, left out"]


def test_settings_that_are_none_are_passed_over(tmp_path):
    samples, faults = whole(film(tmp_path, info="no settings"))
    assert len(samples) == 5
    assert reasons(faults) == ["is no list of settings, passed over"]


@pytest.mark.parametrize("folder", ["/etc", "../other"])
def test_settings_that_lead_out_of_the_film_are_not_followed(tmp_path, folder):
    photo(tmp_path / "other" / "000001.png")
    film(tmp_path / "a", info=f"[Sequence]\nimDir={folder}\n")
    with pytest.raises(DataError, match="no photograph that can be used"):
        read(tmp_path / "a", "train")
