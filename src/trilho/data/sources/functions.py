"""A table made by a function of the user's."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from trilho.data.sources.table import Table, row_numbers
from trilho.errors import BadData, SourceUnreadable, TrilhoError
from trilho.importer import load_object, project_code


def call(path: str, root: Path, options: Mapping[str, Any]) -> Table:
    """The table that `module:function` returns, called with `options` as its arguments.

    Args:
        path: An import string; the project's folder and its src/ can be imported from.
        root: The project's folder.
        options: Keyword arguments.

    Raises:
        ImportFailed: no such module or function.
        SourceUnreadable: the function raised; the cause is chained and its line is named.
        BadData: it returned something else than a pandas DataFrame.
    """
    with project_code(root):
        function = load_object(path)
        try:
            made = function(**options)
        except TrilhoError:
            raise
        except (Exception, SystemExit) as error:  # one that ends itself would end us
            frames = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in frames if Path(frame.filename).is_relative_to(root.resolve())]
            last = (own or frames)[-1]  # where it went wrong in the user's own code, not inside a library
            raise SourceUnreadable(
                f"'{path}' raised {type(error).__name__}: {error}",
                why=f"In {last.filename}, line {last.lineno}: {last.line}",
                remedy="Correct the function; data.options are handed to it as keyword arguments.",
            ) from error
    if not isinstance(made, pd.DataFrame):
        raise BadData(
            f"'{path}' returned {type(made).__name__}, not a pandas DataFrame.",
            remedy="Return a DataFrame with one row per example and the target as one of its columns.",
        )
    if made.columns.nlevels > 1:
        raise BadData(
            f"'{path}' returned a DataFrame with {made.columns.nlevels} levels of column names.",
            remedy="Return one name per column: frame.columns = ['_'.join(name) for name in frame.columns]",
        )
    frame = made.copy(deep=False).reset_index(drop=True)
    frame.columns = [str(name) for name in made.columns]
    return Table(frame=frame, where=row_numbers)
