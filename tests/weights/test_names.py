"""Official names and ours: one to one, in the official order, and a word for files of other models."""

import pytest
from published import FILES, facts_of, names_of, on_meta, translation

from tacit.errors import WeightsError
from tacit.weights.names import NO_WEIGHT, cfg_names, convolutions, paper_names

every_golden_model = pytest.mark.parametrize("model", FILES)


@every_golden_model
def test_round_trip(model: str) -> None:
    """Every official weight has one name here, every one of ours comes from one of theirs, and the shapes agree."""
    network, facts = on_meta(model), facts_of(model)
    names, state = names_of(model, network), network.state_dict()
    shapes = {key: tuple(shape) for key, shape, _ in facts["state_dict"] if key not in facts["kept_buffers"]}
    back = {ours: official for official, ours in names.items()}
    assert {back[names[official]] for official in shapes} == set(shapes)
    assert set(back) == set(state)
    assert {official: tuple(state[ours].shape) for official, ours in names.items()} == shapes


@every_golden_model
def test_order_of_the_keys_does_not_matter(model: str) -> None:
    network = on_meta(model)
    keys = [key for key, _, _ in facts_of(model)["state_dict"]]
    assert translation(model)(keys[::-1], network) == names_of(model, network)


def test_what_is_no_weight_has_no_name() -> None:
    for model in ("yolor-p6-paper", "yolor-s4-dwt"):
        facts, names = facts_of(model), names_of(model, on_meta(model))
        left_out = {key for key, _, _ in facts["state_dict"]} - set(names)
        assert left_out == set(facts["kept_buffers"])
        assert all(NO_WEIGHT.search(key) for key in left_out)


@pytest.mark.parametrize(
    ("model", "official", "ours"),
    [
        ("yolor-csp", "module_list.0.Conv2d.weight", "trunk.stem.0.conv.weight"),
        ("yolor-csp", "module_list.99.BatchNorm2d.bias", "trunk.pool.bypass.bn.bias"),
        ("yolor-csp", "module_list.171.Conv2d.weight", "trunk.outs.0.conv.weight"),
        ("yolor-csp", "module_list.173.Conv2d.bias", "tasks.detect.heads.0.conv.bias"),
        ("yolor-csp", "module_list.165.implicit", "tasks.detect.heads.1.add.knowledge.z"),
        ("yolor-csp", "module_list.167.implicit", "tasks.detect.heads.0.multiply.knowledge.z"),
        ("yolor-p6-paper", "model.3.m.2.cv2.bn.weight", "trunk.stages.0.1.main.2.spread.bn.weight"),
        ("yolor-p6-paper", "model.12.cv4.conv.weight", "trunk.pool.enter.2.conv.weight"),
        ("yolor-p6-paper", "model.12.bn.running_var", "trunk.pool.join.norm.running_var"),
        ("yolor-p6-paper", "model.28.conv.weight", "trunk.outs.0.conv.weight"),
        ("yolor-p6-paper", "model.32.conv.weight", "trunk.outs.1.conv.weight"),
        ("yolor-p6-paper", "model.41.ia.3.implicit", "tasks.detect.heads.3.add.knowledge.z"),
        ("yolor-s4-dwt", "model.3.cv3.weight", "trunk.stages.0.0.main.tail.weight"),
    ],
)
def test_value(model: str, official: str, ours: str) -> None:
    assert names_of(model, on_meta(model))[official] == ours


def test_down_c_of_the_paper_line() -> None:
    """Yolor-e6 has no golden file; its keys are those of yolor-p6 with three convolutions in every step of size."""
    steps = [f"model.{i}." for i in (2, 4, 6, 8, 10, 29, 33, 37)]
    keys = [key for key, _, _ in facts_of("yolor-p6-paper")["state_dict"]]
    for step in steps:
        rest = [key.removeprefix(step) for key in keys if key.startswith(step)]
        keys = [key for key in keys if not key.startswith(step)]
        keys += [f"{step}cv{k}.{entry}" for k in (1, 2, 3) for entry in rest]
    network = on_meta("yolor-e6")
    names = paper_names(keys, network)
    assert set(names.values()) == set(network.state_dict())
    assert names["model.29.cv2.conv.weight"] == "trunk.ascents.0.halve.strided.1.conv.weight"
    assert names["model.29.cv3.conv.weight"] == "trunk.ascents.0.halve.pooled.1.conv.weight"


def test_convolutions_stand_in_the_order_of_the_file() -> None:
    network = on_meta("yolov4-csp")
    order = convolutions(network)
    assert order[:2] == ["trunk.stem.0", "trunk.stages.0.0"]
    assert order[-4:] == ["trunk.outs.1", "tasks.detect.heads.1", "trunk.outs.2", "tasks.detect.heads.2"]
    official = [key for key, _, _ in facts_of("yolov4-csp")["state_dict"] if key.endswith("Conv2d.weight")]
    names = names_of("yolov4-csp", network)
    assert [names[key] for key in official] == [f"{name}.conv.weight" for name in order]


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ("yolor-csp", "yolov4-csp", "0 blocks where 6 fit"),
        ("yolov4-csp", "yolor-csp", "6 blocks where 0 fit"),
        ("yolor-p6", "yolor-csp", "115 blocks where 145 fit"),
        ("yolor-p6-paper", "yolor-s4-dwt", "blocks where"),
        ("yolor-p6", "yolor-p6-paper", "'model.1.conv.weight', which this model has no place for"),
        ("yolor-p6-paper", "yolor-p6", "'module_list.1.Conv2d.weight', which this model has no place for"),
    ],
)
def test_error_other_model(ours: str, theirs: str, told: str) -> None:
    translate = cfg_names if "paper" not in ours else paper_names
    with pytest.raises(WeightsError, match=told):
        translate([key for key, _, _ in facts_of(theirs)["state_dict"]], on_meta(ours))


@pytest.mark.parametrize(
    ("model", "extra"),
    [
        ("yolor-csp", "module_list.0.Conv2d.weights"),
        ("yolor-csp", "module_list.0.conv.weight"),
        ("yolor-csp", "module_list.171.implicit.z"),
        ("yolor-csp", "module_list.-1.Conv2d.weight"),
        ("yolor-s4-s2d", "model.3.enter.conv.weight"),
        ("yolor-s4-s2d", "model.3.m"),
        ("yolor-s4-s2d", "model.3.m.0.spread.conv.weight"),
        ("yolor-s4-s2d", "model.28.m.9.weight"),
        ("yolor-s4-s2d", "model.28.m"),
        ("yolor-s4-s2d", ""),
    ],
)
def test_error_extra_entry(model: str, extra: str) -> None:
    keys = [key for key, _, _ in facts_of(model)["state_dict"]]
    with pytest.raises(WeightsError, match=r"no place for|another model"):
        translation(model)([*keys, extra], on_meta(model))
