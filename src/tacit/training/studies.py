"""What the studies compare: the paper's ablations and our own, each a few differences from one recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from tacit.errors import ConfigError
from tacit.nn.uses import Modelling, Operator, Uses
from tacit.tasks.known import kind_of
from tacit.training.balance import Balance
from tacit.training.recipe import Recipe

BARE = Uses(alignment=Operator.NONE, refinement=Operator.NONE)
"""No knowledge at all."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One line of a study: what it changes in the recipe; None leaves the recipe's own."""

    label: str
    knowledge: Uses | None = None
    tasks: tuple[str, ...] | None = None
    balance: Balance | None = None
    against: tuple[str, ...] = ()
    """Labels of the variants that it is set beside, figure by figure: the first of them that has the figure. Without
    it the study's first variant."""
    ap: float | None = None
    """Box AP in the paper, in percent."""

    def of(self, base: Recipe) -> Recipe:
        """The recipe of this variant. Weights of tasks that it lacks are left out, and where a task learns from pairs,
        which shows every photograph twice an epoch, epochs are half as many: all see the same number of pictures.

        Raises ConfigError where the epochs are odd and would have to be halved.
        """
        tasks = self.tasks or base.tasks
        balance = self.balance or base.balance
        weights = {name: weight for name, weight in balance.weights.items() if name in tasks}
        recipe = replace(
            base, tasks=tasks, knowledge=self.knowledge or base.knowledge, balance=replace(balance, weights=weights)
        )
        return _halved(recipe) if any(kind_of(name).pairs for name in tasks) else recipe


@dataclass(frozen=True)
class Study:
    """A table: its title, where the paper has it, and its variants for a recipe, the baseline first."""

    title: str
    source: str
    variants: Callable[[Recipe], tuple[Variant, ...]]


def study_of(name: str) -> Study:
    """The study of that name. Raises ConfigError for one that nobody knows."""
    if name not in STUDIES:
        near = get_close_matches(name, STUDIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"there is no study {name[:40]!r}", allowed=", ".join(STUDIES), fix=hint)
    return STUDIES[name]


def _halved(recipe: Recipe) -> Recipe:
    if recipe.epochs % 2:
        raise ConfigError(
            f"{recipe.epochs} epochs cannot be halved; {', '.join(recipe.tasks)} see every photograph twice in each",
            allowed="an even number of epochs",
            fix=f"--epochs {recipe.epochs + 1}",
        )
    optimiser = replace(recipe.optimiser, warmup_epochs=recipe.optimiser.warmup_epochs / 2)
    return replace(recipe, epochs=recipe.epochs // 2, optimiser=optimiser)


def _aligned(operator: Operator, modelling: Modelling = Modelling.VECTOR, *, clusters: bool = False) -> Uses:
    return replace(BARE, alignment=operator, modelling=modelling, clusters=clusters)


BASELINE = Variant(label="baseline", knowledge=BARE, ap=47.8)
ADD_ALIGNED = Variant(label="+ iFA", knowledge=_aligned(Operator.ADD), ap=47.9)
MULTIPLY_ALIGNED = Variant(label="× iFA", knowledge=_aligned(Operator.MULTIPLY), ap=47.4)
CONCAT_ALIGNED = Variant(label="concat iFA", knowledge=_aligned(Operator.CONCAT), ap=47.8)
CLUSTERS = Variant(label="× iFA*, each anchor its own", knowledge=_aligned(Operator.MULTIPLY, clusters=True), ap=47.9)
ADD_REFINED = Variant(label="+ iPR", knowledge=replace(BARE, refinement=Operator.ADD), ap=47.8)
MULTIPLY_REFINED = Variant(label="× iPR", knowledge=replace(BARE, refinement=Operator.MULTIPLY), ap=48.0)
SIZES = Variant(label="× iPR*, w and h only", knowledge=replace(BARE, sizes=True), ap=48.1)
NETWORK = Variant(label="+ wiFA, network", knowledge=_aligned(Operator.ADD, Modelling.NETWORK), ap=47.8)
FACTORS = Variant(label="+ icFA, factorisation", knowledge=_aligned(Operator.ADD, Modelling.FACTORISATION), ap=48.0)


def _joint(label: str, *tasks: str, knows: bool, against: str = "", ap: float | None = None) -> Variant:
    """Tasks together, with the knowledge of every published YOLOR at each of them, or without any."""
    names = ("detect", *tasks)
    uses = Uses() if knows else BARE
    return Variant(label=label, tasks=names, knowledge=uses, against=(against,) if against else (), ap=ap)


JOINT = (
    _joint("detect", knows=False, ap=48.0),
    _joint("detect, knowing", knows=True),
    _joint("detect + tags", "tags", knows=False, ap=47.7),
    _joint("detect + tags, knowing", "tags", knows=True, against="detect + tags", ap=48.1),
    _joint("detect + embed", "embed", knows=False, ap=48.1),
    _joint("detect + embed, knowing", "embed", knows=True, against="detect + embed", ap=48.3),
)


def _several(base: Recipe) -> tuple[str, ...]:
    """The tasks of the recipe, those that need no other first."""
    if len(base.tasks) < 2:
        raise ConfigError(
            "this study compares several tasks, and the recipe has one", fix="name them: --tasks detect,pose,tags"
        )
    return tuple(sorted(base.tasks, key=lambda name: len(kind_of(name).needs)))


def _balances(base: Recipe) -> tuple[Variant, ...]:
    _several(base)
    equal = Variant(label="each counts 1", balance=replace(base.balance, weights={}, learned=False))
    stated = Variant(label="stated weights", balance=replace(base.balance, learned=False))
    learned = Variant(label="learned weights", balance=replace(base.balance, learned=True))
    return (equal, stated, learned) if base.balance.weights else (equal, learned)


def _alone_or_together(base: Recipe) -> tuple[Variant, ...]:
    alone = tuple(_alone(name) for name in _several(base))
    return (*alone, Variant(label="all together", against=tuple(variant.label for variant in alone)))


def _alone(name: str) -> Variant:
    needs = kind_of(name).needs
    label = f"{name} with {', '.join(needs)}" if needs else f"{name} alone"
    return Variant(label=label, tasks=(*needs, name))


STUDIES: dict[str, Study] = {
    "alignment": Study("Feature alignment", "Table 1", lambda _: (BASELINE, ADD_ALIGNED)),
    "refinement": Study("Prediction refinement", "Table 2", lambda _: (BASELINE, ADD_REFINED, MULTIPLY_REFINED)),
    "tasks": Study("Detection beside a second task", "Table 3", lambda _: JOINT),
    "operators": Study(
        "How knowledge meets the features",
        "Table 4",
        lambda _: (BASELINE, ADD_ALIGNED, MULTIPLY_ALIGNED, CONCAT_ALIGNED, ADD_REFINED, MULTIPLY_REFINED),
    ),
    "forms": Study(
        "Knowledge for every anchor, and for sizes alone",
        "Table 5",
        lambda _: (
            BASELINE,
            MULTIPLY_ALIGNED,
            replace(CLUSTERS, against=(MULTIPLY_ALIGNED.label,)),
            MULTIPLY_REFINED,
            replace(SIZES, against=(MULTIPLY_REFINED.label,)),
        ),
    ),
    "modelling": Study(
        "How knowledge is modelled",
        "Table 6",
        lambda _: (BASELINE, replace(ADD_ALIGNED, label="+ iFA, vector"), NETWORK, FACTORS),
    ),
    "balance": Study("Stated and learned weights of the tasks", "", _balances),
    "sharing": Study("Every task alone, and all in one network", "", _alone_or_together),
}
