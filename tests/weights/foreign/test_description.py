"""The paper line's descriptions: the published plans come out, unpublished ones are built, others refused by line."""

import copy
from dataclasses import replace

import pytest
import torch
from official_files import large, shapes_of, small
from published import facts_of

from tacit import zoo
from tacit.errors import WeightsError
from tacit.nn.blocks import DWT, ReOrg
from tacit.nn.style import PAPER
from tacit.tasks.detect.anchors import ANCHORS_640, ANCHORS_1280
from tacit.trunks.pyramid import Plan
from tacit.weights.foreign.description import plan_of
from tacit.weights.names import paper_names
from tacit.zoo import pyramid

PUBLISHED = {
    "p6": (large(stages=zoo.P6.stages), replace(zoo.P6, style=PAPER)),
    "w6": (large(stages=zoo.W6.stages), replace(zoo.W6, style=PAPER)),
    "e6": (large(stages=((128, 3), (256, 7), (512, 7), (768, 3), (1024, 3)), width=1.25, down="DownC"), zoo.E6),
    "d6": (large(stages=((128, 3), (256, 15), (512, 15), (768, 7), (1024, 7)), width=1.25, down="DownC"), zoo.D6),
    "ssss-dwt": (small(), zoo.S4_DWT),
    "ssss-s2d": (small(stem="ReOrg"), replace(zoo.S4_DWT, reorganise=ReOrg)),
}


@pytest.mark.parametrize(("description", "plan"), PUBLISHED.values(), ids=PUBLISHED)
def test_published(description, plan):
    assert plan_of(description) == plan


@pytest.mark.parametrize(("model", "name"), [("yolor-s4-dwt", "ssss-dwt"), ("yolor-p6-paper", "p6")])
def test_the_keys_that_these_tests_derive_are_the_official_ones(model, name):
    assert shapes_of(PUBLISHED[name][0]) == {key: tuple(shape) for key, shape, _ in facts_of(model)["state_dict"]}


def residual():
    """In the manner of yolor-csp: a convolution, one residual bottleneck, then CSP stages."""
    description = small(stem="ReOrg", stems=0, stages=((128, 2), (256, 8), (512, 8), (1024, 4)), depth=0.5)
    start = [[-1, 1, "Conv", [32, 3, 1]], [-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Bottleneck", [64]]]
    start += [[-1, 1, "Conv", [128, 3, 2]]]
    return shifted(description, start)


def shifted(description, start):
    """The description with other lines in front, and three of its levels."""
    by = len(start)

    def moved(source):
        if isinstance(source, list):
            return [moved(one) for one in source]
        return source if source < 0 else source + by

    backbone = start + [[moved(line[0]), *line[1:]] for line in description["backbone"]]
    head = [[moved(line[0]), *line[1:]] for line in description["head"]]
    return {**description, "backbone": backbone, "head": head}


UNPUBLISHED = {
    "two wavelets and a convolution": (
        shifted(small(stems=2, stages=((64, 3), (256, 9), (512, 9))), []),
        Plan(
            stages=((32, 1), (128, 3), (256, 3)), levels=3, neck_depth=1, stem=None, reorganise=DWT, reorganised=2,
            down_first=False, tail=True, style=PAPER,
        ),
    ),
    "a residual start": (
        residual(),
        Plan(
            stages=((32, 1), (64, 1), (128, 4), (256, 4), (512, 2)), levels=4, neck_depth=2, stem=16,
            residual_first=True, tail=True, style=PAPER,
        ),
    ),
    "one space to depth, no convolution": (
        small(stem="ReOrg", stems=1, stages=((128, 3), (256, 3), (512, 3)), depth=1.0),
        Plan(
            stages=((64, 3), (128, 3), (256, 3)), levels=3, neck_depth=3, stem=None, reorganise=ReOrg, reorganised=1,
            down_first=False, tail=True, style=PAPER,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("description", "plan"), UNPUBLISHED.values(), ids=UNPUBLISHED)
def test_unpublished(description, plan):
    """The plan builds a network of exactly the shapes that the description's own modules have."""
    assert plan_of(description) == plan
    shapes = shapes_of(description)
    with torch.device("meta"):
        network = pyramid(80, plan, ANCHORS_640 if plan.levels == 3 else ANCHORS_1280)
    names, state = paper_names(shapes, network), network.state_dict()
    assert set(names.values()) == set(state)
    assert {official: tuple(state[ours].shape) for official, ours in names.items()} == {
        official: shapes[official] for official in names
    }


def test_widths_are_rounded_up_to_eight():
    plan = plan_of(small(stages=((60, 1), (124, 1), (252, 1)), width=0.5))  # 30, 62, 126 and their halves
    assert plan.stages == ((32, 1), (64, 1), (128, 1))


def changed(part, index, place, value):
    """The small description with one entry of one line changed."""

    def change():
        description = copy.deepcopy(small())
        description[part][index][place] = value
        return description

    return change


def with_line(part, index, line):
    def change():
        description = copy.deepcopy(small())
        description[part].insert(index, line)
        return description

    return change


def with_entry(**entries):
    return lambda: {**small(), **entries}


LOOP = []
LOOP.append(LOOP)
STRANGE = [
    ("no lines", with_entry(backbone=[], head=[]), "0 lines"),
    ("lines that are none", with_entry(backbone="DWT", head=None), "0 lines"),
    ("too many lines", with_entry(head=[[-1, 1, "Conv", [64]]] * 1000), "1008 lines"),
    ("no detection", with_entry(head=[[-1, 1, "SPPCSP", [512]]]), "no detection"),
    ("a multiple beyond measure", with_entry(depth_multiple=1e9), "a multiple .* is amiss"),
    ("a multiple that is no number", with_entry(width_multiple="half"), "a multiple .* is amiss"),
    ("not a multiple at all", with_entry(width_multiple=float("nan")), "a multiple .* is amiss"),
    ("an unknown module", changed("backbone", 3, 2, "C3"), r"line 3 .*\[-1, 9, C3, \[256\]\]"),
    ("an unknown module in the neck", changed("head", 5, 2, "GhostConv"), "line 13 .*GhostConv"),
    ("a module that is no text", changed("backbone", 3, 2, 5), "line 3 "),
    ("a layer more", with_line("backbone", 4, [-1, 1, "Conv", [256, 3, 1]]), "line 4 .*256, 3, 1"),
    ("another input", changed("backbone", 5, 0, -2), r"line 5 .*\[-2, 9"),
    ("an input that is no number", changed("backbone", 5, 0, "image"), "line 5 .*image"),
    ("concatenated the other way round", changed("head", 4, 0, [-2, -1]), r"line 12 .*\[\[-2, -1\], 1, Concat"),
    ("another kernel", changed("backbone", 4, 3, [512, 5, 2]), "line 4 .*5, 2"),
    ("groups", changed("backbone", 4, 3, [512, 3, 2, None, 8]), "line 4 .*None, 8"),
    ("another width in the neck", changed("head", 5, 3, [300]), "line 13 .*300"),
    ("shortcuts in the neck", changed("head", 5, 3, [256, True]), "line 13 .*256, True"),
    ("another upsampling", changed("head", 2, 3, ["None", 2, "bilinear"]), "line 10 .*bilinear"),
    ("another axis", changed("head", 4, 3, [2]), r"line 12 .*Concat, \[2\]"),
    ("a width beyond measure", changed("backbone", 3, 3, [10**12]), "line 3 "),
    ("a repeat beyond measure", changed("backbone", 3, 1, 10**12), "line 3 "),
    ("half a line", changed("backbone", 3, slice(2, None), []), "line 3 "),
    ("a line of numbers", with_line("backbone", 0, 7), "line 0 "),
    ("a line without end", with_line("backbone", 0, LOOP), "line 0 "),
    ("arguments without end", changed("backbone", 3, 3, LOOP), "line 3 "),
    ("tensors as arguments", changed("head", 4, 3, [torch.ones(2)]), "line 12 "),
    ("a tensor as input", changed("head", 4, 0, torch.ones(2)), "line 12 "),
]


@pytest.mark.parametrize(("change", "told"), [row[1:] for row in STRANGE], ids=[row[0] for row in STRANGE])
def test_error_names_the_first_line(change, told):
    with pytest.raises(WeightsError, match=told) as caught:
        plan_of(change())
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("arguments", [[256], [256, True]])
def test_arguments_that_say_what_is_so_anyway(arguments):
    assert plan_of(changed("backbone", 3, 3, arguments)()) == zoo.S4_DWT
