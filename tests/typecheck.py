"""How types and shapes are enforced under pytest: by beartype, with an int good enough for a float (PEP 484).

Methods are checked one by one, where beartype cannot know what `Self` stands for: it is anything. While a network is
traced for export, the sides of its maps are symbols in the place of whole numbers.
"""

from typing import Self

from beartype import BeartypeConf, FrozenDict, beartype
from torch import SymInt

ANY_OR_TRACED = FrozenDict({Self: object, int: int | SymInt})
checked = beartype(conf=BeartypeConf(is_pep484_tower=True, hint_overrides=ANY_OR_TRACED))
