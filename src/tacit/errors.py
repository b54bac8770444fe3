"""What a person is told when something is wrong with what they gave us.

A message always has three parts: what was wrong, what is allowed, what to do. Our own invariants are `assert`s;
these classes are for people, and the command line prints them without a traceback.
"""


class TacitError(Exception):
    """An error that its reader can act on.

    `wrong` says what was wrong, `allowed` what would have been right, `fix` what to do now.
    """

    exit_code = 2

    def __init__(self, wrong: str, *, allowed: str = "", fix: str = "") -> None:
        self.wrong, self.allowed, self.fix = wrong, allowed, fix
        parts = [wrong, f"Allowed: {allowed}" if allowed else "", f"To do: {fix}" if fix else ""]
        super().__init__(". ".join(part.rstrip(".") for part in parts if part) + ".")


class DataError(TacitError):
    """A dataset, a label file or a folder that cannot be used as it is."""


class ImageError(TacitError):
    """One image file or array that cannot be read as a photograph."""


class WeightsError(TacitError):
    """A weights file that is missing, damaged, unsafe or made for another model."""


class ConfigError(TacitError):
    """An option or a recipe that names something unknown or impossible."""


class MissingExtraError(TacitError):
    """A library that only some installations have."""

    def __init__(self, package: str) -> None:
        super().__init__(f"this needs the package {package!r}, which is not installed", fix=f"pip install {package}")
