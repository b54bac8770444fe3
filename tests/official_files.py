"""Files as the official trainings leave them, made with stand-in classes of the official names.

Keys and shapes follow from the description alone (official_models, section 3), independently of the package.
"""

import math
import sys
import types
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn


def small(*, stem="DWT", stems=3, stages=((256, 9), (512, 9), (1024, 3)), depth=0.33, width=0.5, body="BottleneckCSP"):
    """A description in the manner of the small networks: `stems` times DWT or ReOrg, no convolution before the first
    stage, three levels."""
    backbone = [[-1, 1, stem, []] for _ in range(stems)]
    ends = []
    for position, (channels, count) in enumerate(stages):
        if position:
            backbone.append([-1, 1, "Conv", [channels, 3, 2]])
        backbone.append([-1, count, body, [channels]])
        ends.append(len(backbone) - 1)
    return with_neck(backbone, ends, [channels for channels, _ in stages], depth=depth, width=width, count=3)


def large(*, stages, stem=64, down="Conv", body="BottleneckCSPF", depth=1.0, width=1.0):
    """In the manner of the large ones: ReOrg, a convolution, five stages that each halve, four levels."""
    backbone, ends = [[-1, 1, "ReOrg", []], [-1, 1, "Conv", [stem, 3, 1]]], []
    for channels, count in stages:
        backbone.append([-1, 1, down, [channels, 3, 2] if down == "Conv" else [channels]])
        backbone.append([-1, count, body, [channels]])
        ends.append(len(backbone) - 1)
    widths = [channels for channels, _ in stages]
    return with_neck(backbone, ends[1:], widths[1:], depth=depth, width=width, count=3, down=down)


def with_neck(backbone, ends, widths, *, depth, width, count, down="Conv"):
    head = [[-1, 1, "SPPCSP", [widths[-1] // 2]]]
    maps = [len(backbone)]

    def add(source, number, module, arguments):
        head.append([source, number, module, arguments])
        return len(backbone) + len(head) - 1

    for channels, side in zip(widths[-2::-1], ends[-2::-1], strict=True):
        add(-1, 1, "Conv", [channels // 2, 1, 1])
        add(-1, 1, "nn.Upsample", ["None", 2, "nearest"])
        add(side, 1, "Conv", [channels // 2, 1, 1])
        add([-1, -2], 1, "Concat", [1])
        maps.append(add(-1, count, "BottleneckCSP2", [channels // 2]))
    level = maps.pop()
    outs = [add(-1, 1, "Conv", [widths[0], 3, 1])]
    for channels in widths[1:]:
        half = channels // 2
        add(level, 1, down, [half, 3, 2] if down == "Conv" else [half])
        add([-1, maps.pop()], 1, "Concat", [1])
        level = add(-1, count, "BottleneckCSP2", [half])
        outs.append(add(-1, 1, "Conv", [channels, 3, 1]))
    add(outs, 1, "Detect", ["nc", "anchors"])
    return {"nc": 80, "depth_multiple": depth, "width_multiple": width, "backbone": backbone, "head": head}


def conv(name, channels, out, kernel=1):
    return {f"{name}.conv.weight": (out, channels, kernel, kernel), **norm(f"{name}.bn", out)}


def norm(name, width):
    per_channel = {f"{name}.{entry}": (width,) for entry in ("weight", "bias", "running_mean", "running_var")}
    return {**per_channel, f"{name}.num_batches_tracked": ()}


def bottlenecks(name, width, count):
    shapes = {}
    for i in range(count):
        shapes |= conv(f"{name}.m.{i}.cv1", width, width) | conv(f"{name}.m.{i}.cv2", width, width, 3)
    return shapes


def plain(name, channels, out):
    return {f"{name}.weight": (out, channels, 1, 1)}


def csp(name, channels, out, count, *, tail):
    half = out // 2
    shapes = conv(f"{name}.cv1", channels, half) | plain(f"{name}.cv2", channels, half)
    shapes |= plain(f"{name}.cv3", half, half) if tail else {}
    return shapes | conv(f"{name}.cv4", out, out) | norm(f"{name}.bn", out) | bottlenecks(name, half, count)


def csp2(name, channels, out, count):
    shapes = conv(f"{name}.cv1", channels, out) | plain(f"{name}.cv2", out, out)
    return shapes | conv(f"{name}.cv3", 2 * out, out) | norm(f"{name}.bn", 2 * out) | bottlenecks(name, out, count)


def sppcsp(name, channels, out):
    shapes = conv(f"{name}.cv1", channels, out) | plain(f"{name}.cv2", channels, out)
    shapes |= conv(f"{name}.cv3", out, out, 3) | conv(f"{name}.cv4", out, out) | conv(f"{name}.cv5", 4 * out, out)
    return shapes | conv(f"{name}.cv6", out, out, 3) | conv(f"{name}.cv7", 2 * out, out) | norm(f"{name}.bn", 2 * out)


def down_c(name, channels, out):
    shapes = conv(f"{name}.cv1", channels, channels) | conv(f"{name}.cv2", channels, out // 2, 3)
    return shapes | conv(f"{name}.cv3", channels, out // 2)


def wavelets(name):
    columns, rows = ((1, 1, 2, 1), "col"), ((1, 1, 1, 2), "row")
    return {f"{name}.xfm.h{i}_{axis}": shape for shape, axis in (columns, rows) for i in (0, 1)}


def shapes_of(description, classes=80):
    """Official keys and shapes of the network that the description means."""
    shapes, widths = {}, []
    for index, (source, count, module, arguments) in enumerate(description["backbone"] + description["head"]):
        name, count = f"model.{index}", max(round(count * description["depth_multiple"]), 1)
        sources = [source] if isinstance(source, int) else source
        inputs = [(3, *widths)[1 + (index + one if one < 0 else one)] for one in sources]
        out = math.ceil(arguments[0] * description["width_multiple"] / 8) * 8 if is_wide(module) else sum(inputs)
        channels = sum(inputs)
        match module:
            case "Conv":
                shapes |= conv(name, channels, out, arguments[1])
            case "BottleneckCSP" | "BottleneckCSPF":
                shapes |= csp(name, channels, out, count, tail=module == "BottleneckCSP")
            case "Bottleneck":
                shapes |= conv(f"{name}.cv1", out, out // 2) | conv(f"{name}.cv2", out // 2, out, 3)
            case "BottleneckCSP2":
                shapes |= csp2(name, channels, out, count)
            case "SPPCSP":
                shapes |= sppcsp(name, channels, out)
            case "DownC":
                shapes |= down_c(name, channels, out)
            case "DWT" | "ReOrg":
                shapes, out = shapes | (wavelets(name) if module == "DWT" else {}), 4 * channels
            case "Detect":
                shapes |= detection(name, inputs, 3 * (5 + classes))
        widths.append(out)
    return shapes


def is_wide(module):
    return module in {"Conv", "Bottleneck", "BottleneckCSP", "BottleneckCSPF", "BottleneckCSP2", "SPPCSP", "DownC"}


def detection(name, inputs, out):
    shapes = {f"{name}.anchors": (len(inputs), 3, 2), f"{name}.anchor_grid": (len(inputs), 1, 3, 1, 1, 2)}
    for level, width in enumerate(inputs):
        shapes |= {f"{name}.m.{level}.weight": (out, width, 1, 1), f"{name}.m.{level}.bias": (out,)}
        shapes |= {f"{name}.ia.{level}.implicit": (1, width, 1, 1), f"{name}.im.{level}.implicit": (1, out, 1, 1)}
    return shapes


@contextmanager
def official_modules():
    """`make(module, name)` gives a stand-in for a class of that name, as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:

        def make(module, name):
            for end, letter in enumerate([*module, "."]):
                if letter == "." and module[:end] not in sys.modules:  # a package before what is in it
                    patch.setitem(sys.modules, module[:end], types.ModuleType(module[:end]))
            kind = getattr(sys.modules[module], name, None)
            if kind is None:
                kind = type(name, (nn.Module,), {"__module__": module})
                setattr(sys.modules[module], name, kind)
            return kind()

        yield make


def official_module(state, description, names, make):
    """A module that holds the tensors of `state` where their keys say, built of stand-ins."""
    layers = [line[2] for line in description["backbone"] + description["head"]]
    root = make("models.yolo", "Model")
    root.yaml, root.names, root.stride = description, names, torch.tensor([8.0, 16.0, 32.0])
    root.hyp, root.yaml_file = {"lr0": 0.01}, "yolor.yaml"
    for key, value in state.items():
        part = root
        *path, entry = key.split(".")
        for depth, name in enumerate(path):
            if name not in part._modules:
                part.add_module(name, stand_in(path[: depth + 1], layers, make))
            part = part._modules[name]
        if entry in {"weight", "bias", "implicit"}:
            part._parameters[entry] = nn.Parameter(value)
        else:
            part._buffers[entry] = value
    return root


def stand_in(path, layers, make):
    """The module at a path: lists and norms are torch's own, the others official."""
    match path:
        case ["model"] | [*_, "m"]:
            return nn.Sequential()
        case [_, _, "ia" | "im"]:
            return nn.ModuleList()
        case [*_, "bn"]:
            return nn.BatchNorm2d(1, affine=False, track_running_stats=False)
        case [*_, "xfm"]:
            return make("pytorch_wavelets.dwt.transform2d", "DWTForward")
        case [_, index]:
            layer = layers[int(index)]
            return make("models.yolo" if layer == "Detect" else "models.common", layer.removeprefix("nn."))
        case [_, _, "ia" | "im" as kind, _]:
            return make("models.common", {"ia": "ImplicitA", "im": "ImplicitM"}[kind])
    return make("models.common", "Conv")


def training(network):
    """What a training saves around its network."""
    return {
        "epoch": 299,
        "best_fitness": np.array([0.5]),
        "best_fitness_ap": np.float64(0.25),
        "training_results": "299/299 ...",
        "model": network,
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(7)}}, "param_groups": [{"lr": 0.01, "params": [0]}]},
        "wandb_id": None,
    }


def save_module(path, state, description, names=None, *, old=False):
    """A checkpoint of the paper line: the pickled module itself, in torch's layout of today or before 1.6."""
    with official_modules() as make, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old layout wants the source code of every class
        module = official_module(state, description, names, make)
        torch.save(training(module), path, _use_new_zipfile_serialization=not old)
    return path
