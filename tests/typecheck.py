"""How types and shapes are enforced under pytest: by beartype, with an int good enough for a float (PEP 484).

Methods are checked one by one, where beartype cannot know what `Self` stands for: it is anything.
"""

from typing import Self

from beartype import BeartypeConf, FrozenDict, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True, hint_overrides=FrozenDict({Self: object})))
