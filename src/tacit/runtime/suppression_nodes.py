"""Suppression inside of an ONNX graph, in standard operators: `geometry.nms.suppress` for a whole batch.

For whoever has onnxruntime and nothing else. Our own engines do not ask for these outputs: their suppression takes its
thresholds when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tacit.errors import ConfigError
from tacit.results import DETECT
from tacit.runtime.onnx_export import described, passport_in
from tacit.thresholds import Thresholds

if TYPE_CHECKING:
    from onnx import ModelProto

ROWS, BOXES, SOURCES = f"{DETECT}/rows", f"{DETECT}/boxes", f"{DETECT}/sources"
PREFIX = "suppression/"
NODES = """
<ir_version: 10, opset_import: ["": 18]>
suppression (float[batch, rows, values] all) => (float[found, 7] boxes, int64[found] sources)
{
    zero = Constant <value_ints = [0]> ()
    one = Constant <value_ints = [1]> ()
    two = Constant <value_ints = [2]> ()
    four = Constant <value_ints = [4]> ()
    five = Constant <value_ints = [5]> ()
    end = Constant <value_ints = [9223372036854775807]> ()
    none = Constant <value_int = 0> ()
    single = Constant <value_int = 1> ()
    half = Constant <value_float = 0.5> ()
    most = Constant <value_ints = [MOST]> ()
    iou = Constant <value_floats = [IOU]> ()
    confidence = Constant <value_floats = [CONFIDENCE]> ()

    xywh = Slice (all, zero, four, two)
    objectness = Slice (all, four, five, two)
    chances = Slice (all, five, end, two)
    scores = Mul (chances, objectness)
    by_class = Transpose <perm = [0, 2, 1]> (scores)
    chosen = NonMaxSuppression <center_point_box = 1> (xywh, by_class, most, iou, confidence)

    chosen_image = Slice (chosen, zero, one, one)
    chosen_class = Slice (chosen, one, two, one)
    chosen_row = Slice (chosen, two, end, one)
    chosen_place = Concat <axis = 1> (chosen_image, chosen_row, chosen_class)
    chosen_score = GatherND (scores, chosen_place)
    count = Shape (chosen_score)
    how_many = Squeeze (count, zero)

    sorted_score, by_score = TopK <axis = 0, largest = 1> (chosen_score, count)
    image_column = Gather <axis = 0> (chosen_image, by_score)
    image_by_score = Squeeze (image_column, one)
    rank = Range (none, how_many, single)
    far_apart = Mul (image_by_score, how_many)
    key = Add (far_apart, rank)
    sorted_key, by_image = TopK <axis = 0, largest = 0> (key, count)
    order = Gather <axis = 0> (by_score, by_image)

    shape = Shape (all)
    batch = Gather <axis = 0> (shape, none)
    every_image = Range (none, batch, single)
    ordered_image = Gather <axis = 0> (image_by_score, by_image)
    ordered_column = Unsqueeze (ordered_image, one)
    is_of = Equal (ordered_column, every_image)
    is_of_number = Cast <to = 7> (is_of)
    of_each = ReduceSum <keepdims = 0> (is_of_number, zero)
    start = CumSum <exclusive = 1> (of_each, none)
    own_start = Gather <axis = 0> (start, ordered_image)
    place = Sub (rank, own_start)
    among_best = Less (place, most)
    kept = Compress <axis = 0> (order, among_best)

    picked = Gather <axis = 0> (chosen, kept)
    image = Slice (picked, zero, one, one)
    label = Slice (picked, one, two, one)
    row = Slice (picked, two, end, one)
    where = Concat <axis = 1> (image, row)
    own_xywh = GatherND (xywh, where)
    centre = Slice (own_xywh, zero, two, one)
    size = Slice (own_xywh, two, four, one)
    half_size = Mul (size, half)
    low = Sub (centre, half_size)
    high = Add (centre, half_size)
    flat_score = Gather <axis = 0> (chosen_score, kept)
    score = Unsqueeze (flat_score, one)
    image_number = Cast <to = 1> (image)
    label_number = Cast <to = 1> (label)
    boxes = Concat <axis = 1> (image_number, low, high, score, label_number)
    sources = Squeeze (row, one)
}
"""


def with_suppression(model: ModelProto, limits: Thresholds) -> ModelProto:
    """The model with two more outputs: "detect/boxes" (n, 7), rows of the image's number in the batch, x0, y0, x1, y1
    in pixels of the input, score, class; and "detect/sources" (n,), the rows of "detect/rows" that they come from.

    They are ordered by image, and best first. Raises ConfigError for a model that does not detect.
    """
    passport = passport_in(model)
    if ROWS not in passport.outputs:
        raise ConfigError("the model has no boxes to suppress", allowed=f"suppression for models that {DETECT}")
    graph = suppression_graph(limits).graph
    model.graph.node.extend(graph.node)
    model.graph.output.extend(graph.output)
    return described(model, passport.suppressing(limits))


def suppression_graph(limits: Thresholds) -> ModelProto:
    """A model of these nodes alone, from "detect/rows" to both outputs; whatever is in between has the prefix."""
    from onnx import parser

    text = NODES.replace("[MOST]", f"[{limits.max_detections}]")
    text = text.replace("[IOU]", f"[{limits.iou:.9f}]").replace("[CONFIDENCE]", f"[{limits.confidence:.9f}]")
    model = parser.parse_model(text)
    names = {"all": ROWS, "boxes": BOXES, "sources": SOURCES}
    for node in model.graph.node:
        node.input[:] = [names.get(name, PREFIX + name) for name in node.input]
        node.output[:] = [names.get(name, PREFIX + name) for name in node.output]
        node.name = f"{PREFIX}{node.op_type} of {node.output[0]}"
    for value in (*model.graph.input, *model.graph.output):
        value.name = names[value.name]
    return model
