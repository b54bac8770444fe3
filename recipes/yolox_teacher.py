"""A teacher for `tacit train --teacher`: the stages of YOLOX-nano, as an ONNX file of its own.

    python recipes/yolox_teacher.py yolox_nano.onnx teacher.onnx

YOLOX (Apache-2.0) and our trunk have stages at the same strides, so that each of ours can learn from one of
YOLOX: backbone, neck, and what its last convolutions read (classes beside boxes). The new file takes RGB images
(B, 3, H, W) in [0, 1] of any size; YOLOX itself takes BGR in 0..255 of one size.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.utils import Extractor

LESSONS = {  # module of our trunk: the maps of YOLOX that it learns from, as the published file names them
    "stages.0": ("input.67",),
    "stages.1": ("input.175",),
    "stages.2": ("input.283",),
    "stages.3": ("input.299",),
    "pool": ("input.367",),
    "descents.0": ("input.423",),
    "descents.1": ("input.471",),
    "ascents.0": ("input.531",),
    "ascents.1": ("input.591",),
    "outs.0": ("input.631", "input.663"),
    "outs.1": ("input.703", "input.735"),
    "outs.2": ("input.775", "input.807"),
}


def any_size(model: ModelProto) -> None:
    """Batch, height and width are free; RGB in [0, 1] becomes the BGR in 0..255 that the network wants."""
    graph = model.graph
    (source,) = graph.input
    dims = ["batch", 3, "height", "width"]
    graph.input.remove(source)
    graph.input.append(helper.make_tensor_value_info("rgb", TensorProto.FLOAT, dims))
    graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0]), "bgr_order"))
    graph.initializer.append(numpy_helper.from_array(np.array(255, np.float32), "bgr_scale"))
    graph.node.insert(0, helper.make_node("Gather", ["rgb", "bgr_order"], ["bgr"], axis=1))
    graph.node.insert(1, helper.make_node("Mul", ["bgr", "bgr_scale"], [source.name]))
    del graph.value_info[:]


def main(source: Path, target: Path) -> None:
    """Cut, join, save."""
    model = onnx.load(source)
    inferred = onnx.shape_inference.infer_shapes(model).graph.value_info
    widths = {each.name: each.type.tensor_type.shape.dim[1].dim_value for each in inferred}
    wanted = [one for maps in LESSONS.values() for one in maps]
    cut = Extractor(model).extract_model([model.graph.input[0].name], wanted)
    del cut.graph.output[:]
    for name, maps in LESSONS.items():
        cut.graph.node.append(helper.make_node("Concat", list(maps), [name], axis=1))
        dims = ["batch", sum(widths[one] for one in maps), f"height_{name}", f"width_{name}"]
        cut.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
    any_size(cut)
    onnx.checker.check_model(cut)
    onnx.save(cut, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
