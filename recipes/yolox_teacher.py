"""A teacher for `tacit train --teacher`: what YOLOX looks at just before it decides, as an ONNX file of its own.

    python recipes/yolox_teacher.py yolox_nano.onnx teacher.onnx

From an exported YOLOX (Apache-2.0) of any size this takes, on each level, the maps that its last 1x1 convolutions read:
those of the classes and those of box and objectness. The new file takes RGB images (B, 3, H, W) in [0, 1] of any size;
YOLOX itself takes BGR in 0..255 of one size.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.utils import Extractor

LEVELS = 3


def last_inputs(model: ModelProto) -> list[tuple[str, str]]:
    """On each level the inputs of the class convolution and of the box convolution."""
    widths = {each.name: each.dims[0] for each in model.graph.initializer if len(each.dims) == 4}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    ends = {width: [n.input[0] for n in convolutions if widths[n.input[1]] == width] for width in (1, 4, 80)}
    return list(zip(ends[80], ends[4], strict=True))


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
    pairs = last_inputs(model)
    assert len(pairs) == LEVELS
    shapes = {each.name: each for each in onnx.shape_inference.infer_shapes(model).graph.value_info}
    widths = [sum(shapes[name].type.tensor_type.shape.dim[1].dim_value for name in pair) for pair in pairs]
    cut = Extractor(model).extract_model([model.graph.input[0].name], [name for pair in pairs for name in pair])
    del cut.graph.output[:]
    for level, (pair, width) in enumerate(zip(pairs, widths, strict=True)):
        name = f"level{level}"
        cut.graph.node.append(helper.make_node("Concat", list(pair), [name], axis=1))
        dims = ["batch", width, f"height{level}", f"width{level}"]
        cut.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
    any_size(cut)
    onnx.checker.check_model(cut)
    onnx.save(cut, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
