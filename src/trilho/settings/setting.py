"""What a setting is, and what is said about where its value came from."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

Kind = Literal[
    "text",
    "choice",  # one of `choices`
    "import",  # "package.module:name", or one of `choices`
    "address",  # of a server: http://… or https://…
    "path",  # of a folder, relative to the project
    "integer",
    "number",
    "share",  # a number between 0 and 1
    "duration",  # "2s", "500ms", "24h"; seconds once it is read
    "boolean",
    "value",  # text, number or boolean, as the data holds it
    "list",  # of text; `choices` are the items allowed
    "mapping",  # text → anything
    "numbers",  # text → number
    "texts",  # text → text; `choices` are the values allowed
    "imports",  # one of `choices` → import string
]
MAPPINGS: tuple[Kind, ...] = ("mapping", "numbers", "texts", "imports")
SCALARS: tuple[Kind, ...] = (
    *("text", "choice", "import", "address", "path"),
    *("integer", "number", "share", "duration", "boolean", "value"),
)


@dataclass(frozen=True)
class Setting:
    """One setting of trilho.yaml.

    Args:
        name: Its path in the file, with dots: "train.params".
        help: One sentence.
        default: What holds where nobody says anything, as it is written in the file ("2s", not 2.0).
        derived: Where the default depends on other settings: from which ("name", "task").
        required: There is no default; the file must say it.
        unit: Of the number, where it has one.
        at_least, above, at_most, below: Limits of a number; of a duration in seconds.
        also_env: Environment names that others use, beside the one of ours.
    """

    name: str
    kind: Kind
    help: str
    _: KW_ONLY
    default: Any = None
    derived: str = ""
    required: bool = False
    unit: str = ""
    choices: tuple[str, ...] = ()
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    also_env: tuple[str, ...] = ()

    @property
    def env(self) -> tuple[str, ...]:
        """The environment names it is read from, the deciding one first; none for lists and mappings."""
        if self.kind not in SCALARS:
            return ()
        return (f"TRILHO_{self.name.upper().replace('.', '_')}", *self.also_env)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a value came from.

    Args:
        source: The layer that decided; an earlier one in this list wins over later ones. A value is inferred where its
            default depends on other settings.
        detail: The environment name, the profile, or the setting it was inferred from.
        line: The line in trilho.yaml or .env; None for other sources.
    """

    source: Literal["flag", "environment", ".env", "profile", "file", "default", "inferred"]
    detail: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f", line {self.line}" if self.line is not None else ""
        words = {
            "flag": "flag",
            "environment": f"env {self.detail}",
            ".env": f".env{place} ({self.detail})",
            "profile": f"profile {self.detail}{place}",
            "file": f"trilho.yaml{place}",
            "default": "default",
            "inferred": f"inferred from {self.detail}",
        }
        return words[self.source]
