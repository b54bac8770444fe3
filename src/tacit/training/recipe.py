"""Everything that decides a training run, in one typed tree (no torch in here: the command line reads it)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from pathlib import Path

from tacit.data.augment import Augment
from tacit.errors import ConfigError
from tacit.nn.uses import Uses
from tacit.tasks.detect.gains import DetectGains
from tacit.training.balance import Balance
from tacit.training.typed_json import build, plain, separated

Range = tuple[float, float]  # both ends allowed

OPTIMISER_RANGES: dict[str, Range] = {
    "learning_rate": (0.0, 10.0),
    "final_factor": (0.0, 1.0),
    "momentum": (0.1, 0.9999),
    "weight_decay": (0.0, 1.0),
    "warmup_epochs": (0.0, 1e6),
    "warmup_steps": (0, 1e9),
    "warmup_momentum": (0.1, 0.9999),
    "warmup_bias_rate": (0.0, 10.0),
    "clip": (0.0, 1e9),
    "ema_decay": (0.0, 1.0),
    "ema_ramp": (1e-3, 1e9),
}
RECIPE_RANGES: dict[str, Range] = {
    "epochs": (1, 1e6),
    "batch": (1, 1e6),
    "accumulate": (1, 1e6),
    "grow": (0.0, 1.0),
    "min_score": (0.0, 1.0),
    "teacher_gain": (0.0, 1e6),
    "seed": (0, 2**63 - 1),
    "workers": (0, 256),
    "validate_every": (1, 1e6),
    "checkpoint_minutes": (0.0, 1e6),
}


class Algorithm(Enum):
    """How gradients become steps."""

    AUTO = "auto"
    SGD = "sgd"
    ADAMW = "adamw"
    MUON = "muon"


class Precision(Enum):
    """What the network calculates in; weights and losses always stay in single precision."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


RATES = {Algorithm.AUTO: 0.01, Algorithm.SGD: 0.01, Algorithm.ADAMW: 0.001, Algorithm.MUON: 0.0005}
"""Learning rates where none is chosen; AdamW has torch's own; auto is SGD until it is settled."""


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """The optimiser and its schedule; the reference's (official_models, section 8) from random weights."""

    algorithm: Algorithm = Algorithm.AUTO
    """SGD with Nesterov momentum, AdamW, or Muon for convolutions with AdamW for the rest. auto is Muon for runs that
    start from weights, of which SGD first loses most (docs/decisions/starting-from-weights.md), and SGD for others."""
    learning_rate: float | None = None
    """Learning rate after the warm-up. Without it 0.01 for SGD, 0.001 for AdamW, 0.0005 for Muon."""
    final_factor: float = 0.2
    """The rate at the end, as a part of `learning_rate`; a half cosine leads there."""
    momentum: float = 0.937
    """Momentum of SGD, first beta of AdamW; Muon has its own."""
    weight_decay: float = 5e-4
    """Weight decay of convolutions; norms, biases and knowledge have none."""
    warmup_epochs: float = 3.0
    """Length of the warm-up, but at least `warmup_steps`."""
    warmup_steps: int = 1000
    """Least length of the warm-up in batches, but at most a third of the run."""
    warmup_momentum: float = 0.8
    """Momentum of SGD at the start of the warm-up."""
    warmup_bias_rate: float = 0.1
    """Rate of biases under SGD at the start of the warm-up; everything else starts at 0."""
    clip: float = 0.0
    """Largest norm of the gradient; 0 does not clip."""
    ema_decay: float = 0.9999
    """Decay of the averaged weights, reached as 1 - exp(-steps / ema_ramp)."""
    ema_ramp: float = 2000.0
    """How slowly the averaging sets in, in steps."""

    def __post_init__(self) -> None:
        for name, (least, most) in OPTIMISER_RANGES.items():
            _require(self, name, least, most)

    @property
    def peak(self) -> float:
        """The learning rate, chosen or the algorithm's own."""
        return RATES[self.algorithm] if self.learning_rate is None else self.learning_rate

    def settled(self, *, from_weights: bool) -> Optimiser:
        """The same with nothing left open, for a run that starts from weights or from random ones."""
        by_itself = Algorithm.MUON if from_weights else Algorithm.SGD
        settled = replace(self, algorithm=by_itself if self.algorithm is Algorithm.AUTO else self.algorithm)
        return replace(settled, learning_rate=settled.peak)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training run. Saved with it; the same recipe on the same machine gives the same weights."""

    data: tuple[Path, ...] = ()
    """Datasets; the first one names the classes. Each task is validated on the first that labels it."""
    shares: tuple[float, ...] = ()
    """How much of an epoch each dataset makes up, in their order; without it by their numbers of photographs."""
    tasks: tuple[str, ...] = ("detect",)
    """What the network learns to answer, such as detect,segment,pose,scene,tags,embed,caption."""
    learn: tuple[str, ...] = ()
    """Only these tasks learn; the trunk and the others stay as they are, to the bit. Without it everything learns."""
    model: str = "nano"
    """A model of the zoo."""
    output: Path = Path("runs/train")
    """The run folder; a number is added if it is taken."""
    weights: Path | None = None
    """Start from these weights. Without it, from the bundled ones of that model, if there are any."""
    scratch: bool = False
    """Start from random weights."""
    teacher: Path | None = None
    """Learn also from the features of this ONNX network (see training/teacher.py)."""
    teacher_gain: float = 1.0
    """How much the teacher's features count beside the labels."""
    epochs: int = 40
    """How often every photograph is seen."""
    batch: int = 16
    """Photographs a step, over all processes."""
    accumulate: int = 1
    """Steps whose gradients are added up for one step of the optimiser."""
    size: int = 416
    """Side of the training pictures and of validation, in pixels."""
    start_size: int | None = None
    """Side at the start of the run; it grows to `size` over `grow` of the epochs. None: `size` throughout."""
    grow: float = 0.8
    """The part of the run in which the pictures grow."""
    min_score: float = 0.5
    """Labels that carry a teacher's score below this are left out."""
    seed: int = 0
    """Decides initial weights, order and augmentation."""
    precision: Precision = Precision.AUTO
    """auto is bf16 on CUDA, and on CPUs that are fast at it for networks that are not small; else fp32."""
    workers: int = 1
    """Processes that prepare pictures; 0 prepares them in the training process."""
    validate_every: int = 1
    """Epochs between two validations; the last epoch is always validated."""
    checkpoint_minutes: float = 5.0
    """A checkpoint is written at the end of every epoch, and within one after so many minutes."""
    strict: bool = False
    """Stop at the first fault in the data instead of leaving the faulty part out."""
    augment: Augment = field(default_factory=Augment)
    """How pictures are varied."""
    optimiser: Optimiser = field(default_factory=Optimiser)
    """Optimiser and schedule."""
    gains: DetectGains = field(default_factory=DetectGains)
    """Weights of the detection loss."""
    knowledge: Uses = field(default_factory=Uses)
    """Where every task uses implicit knowledge of its own."""
    balance: Balance = field(default_factory=Balance)
    """How much each task counts."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", separated(self.tasks))
        object.__setattr__(self, "learn", separated(self.learn))
        if unknown := [name for name in self.learn if name not in self.tasks]:
            raise ConfigError(f"learn names {unknown[0]!r}, which is none of the tasks", allowed=", ".join(self.tasks))
        if len(set(self.tasks)) < len(self.tasks) or not self.tasks:
            raise ConfigError(f"tasks={','.join(self.tasks)} does not name different tasks", allowed="one or more")
        if self.shares and (len(self.shares) != len(self.data) or not all(0 < share < 1e9 for share in self.shares)):
            raise ConfigError(
                f"shares={self.shares} do not fit {len(self.data)} datasets", allowed="a number above 0 for each"
            )
        for name, (least, most) in RECIPE_RANGES.items():
            _require(self, name, least, most)
        for name, size in (("size", self.size), ("start_size", self.start_size or self.size)):
            if size < 32 or size % 32:
                raise ConfigError(f"{name}={size} does not fit the network's grid", allowed="multiples of 32")
        if self.scratch and self.weights is not None:
            raise ConfigError(f"scratch and weights={self.weights} exclude each other", fix="leave one of them out")

    def size_at(self, epoch: int) -> int:
        """Side of the training pictures in `epoch`, a multiple of 32."""
        start = self.start_size or self.size
        share = min(1.0, epoch / max(1.0, self.grow * self.epochs))
        return 32 * round((start + share * (self.size - start)) / 32)

    def to_json(self) -> str:
        """The recipe as indented JSON."""
        return json.dumps(plain(asdict(self)), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """The recipe again. Raises ConfigError for an unknown key, and names the nearest."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"the recipe is not JSON ({error})") from error
        return build(cls, values, "the recipe")


def _require(owner: object, name: str, least: float, most: float) -> None:
    """Raises ConfigError unless the field lies within; NaN lies nowhere."""
    value = getattr(owner, name)
    if value is not None and not least <= value <= most:
        raise ConfigError(f"{name}={value} is impossible", allowed=f"numbers from {least:g} to {most:g}")
