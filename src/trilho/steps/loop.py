"""The one loop that runs or reuses a step."""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Literal

from trilho.errors import StepFailed, TrilhoError
from trilho.importer import forget_changed, project_code
from trilho.project.file import ProjectFile
from trilho.steps.cache import Cache, Damaged, Entry
from trilho.steps.exporting import restore
from trilho.steps.keys import STEPS, Ingredients, difference, ingest_ingredients, ingredients, key
from trilho.steps.materials import Materials

# Asked whether a finished register step still stands: "" for yes, else why not.
Confirm = Callable[[Entry], str]


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What became of a step. `reason` says why it ran, or what else was mended; `folder` holds its output once it is
    done."""

    step: str
    status: Literal["running", "ran", "reused", "stale"]
    reason: str = ""
    facts: str = ""
    seconds: float = 0.0
    folder: Path | None = None
    key: str = ""


# Told of every step when it starts running and when it is done, with what exists by then.
Watch = Callable[[StepResult, Materials], None]


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A look into the cache: an entry to reuse, or the reason to run."""

    entry: Entry | None
    reason: str


def run_steps(
    project: ProjectFile,
    *,
    until: str = "register",
    force: frozenset[str] = frozenset(),
    confirm: Confirm = lambda _: "",
    watch: Sequence[Watch] = (),
) -> list[StepResult]:
    """Run what is stale up to `until`, reuse the rest.

    Args:
        force: Steps that run even when nothing changed.
        confirm: Is the finished register step still true outside?
        watch: Who is told of every step.

    Raises:
        StepFailed, BadData, SourceUnreadable, …: a step failed. Steps before it are kept.
    """
    cache = Cache(project.state_dir / "cache")
    folders: dict[str, Path] = {}
    made: dict[str, str] = {}
    results = []
    with project_code(project.root):
        materials = Materials(project, folders)
        for step in STEPS[: STEPS.index(until) + 1]:
            if forget_changed(project.root):
                materials = Materials(project, folders)  # a loaded model would go on with the code of before
            results.append(_step(cache, step, project, folders, made, materials, step in force, confirm, watch))
    return results


def look(project: ProjectFile, *, confirm: Confirm = lambda _: "") -> Iterator[StepResult]:
    """What a run would do, without doing it. Steps after a stale one are stale as far as can be known."""
    cache = Cache(project.state_dir / "cache")
    made: dict[str, str] = {}
    stale = ""
    for step in STEPS:
        if stale:
            yield StepResult(step=step, status="stale", reason=f"{stale} runs before it")
            continue
        found = _find(cache, step, ingredients(step, project, made), forced=False, confirm=confirm)
        if found.entry is None:
            stale = step
            yield StepResult(step=step, status="stale", reason=found.reason)
        else:
            made[step] = found.entry.digest
            yield _reused(step, found.entry)


def _step(
    cache: Cache,
    step: str,
    project: ProjectFile,
    folders: dict[str, Path],
    made: dict[str, str],
    materials: Materials,
    forced: bool,
    confirm: Confirm,
    watch: Sequence[Watch],
) -> StepResult:
    """Run or reuse one step. Those who watch hear of its end before another run may look at the same entry."""
    own = ingredients(step, project, made)
    name = key(own) if own is not None else "unknown"
    with cache.lock(step, name):
        found = _find(cache, step, own, forced=forced, confirm=confirm)
        if found.entry is not None:
            folders[step], made[step] = found.entry.folder, found.entry.digest
            reused = _reused(step, found.entry)
            if step == "register":
                reused = replace(reused, reason=_call(step, restore, materials, found.entry.folder))
            _tell(watch, reused, materials)
            return reused
        _tell(watch, StepResult(step=step, status="running", reason=found.reason), materials)
        started = time.perf_counter()
        with cache.workplace(step, name) as out:
            function = getattr(import_module(f"trilho.steps.{step}"), step)  # late: a reused step loads no pandas
            facts = _call(step, function, materials, out)
            seconds = time.perf_counter() - started
            # What was read is known only now, even of a file: it may have changed since the look at it.
            kept = own if own is not None and step != "ingest" else _now_known(project, out)
            existing = cache.find(step, key(kept)) if key(kept) != name else None
            if isinstance(existing, Entry):  # read anew, and nothing had changed
                entry = existing
            else:
                entry = cache.keep(step, key(kept), out, ingredients=kept, facts=facts, seconds=seconds)
        done = StepResult(step=step, status="ran", reason=found.reason, facts=facts, seconds=seconds)
        done = replace(done, folder=entry.folder, key=entry.folder.name)
        folders[step], made[step] = entry.folder, entry.digest
        _tell(watch, done, materials)
        return done


def _find(cache: Cache, step: str, own: Ingredients | None, *, forced: bool, confirm: Confirm) -> _Found:
    if own is None:
        return _Found(entry=None, reason="only reading the source tells whether it changed")
    if forced:
        return _Found(entry=None, reason="forced")
    entry = cache.find(step, key(own))
    if isinstance(entry, Damaged):
        return _Found(entry=None, reason=f"cache entry damaged ({entry.problem}), made again")
    if entry is None:
        last = cache.last(step)
        return _Found(entry=None, reason=difference(last.ingredients, own) if last else "first run")
    if step == "register" and (problem := confirm(entry)):
        return _Found(entry=None, reason=problem)
    return _Found(entry=entry, reason="")


def _tell(watch: Sequence[Watch], result: StepResult, materials: Materials) -> None:
    for watcher in watch:
        watcher(result, materials)


def _call(step: str, function: Callable[[Materials, Path], str], materials: Materials, out: Path) -> str:
    """Run the step's function; whatever a user's function raises becomes a StepFailed that names it."""
    try:
        return str(function(materials, out))
    except TrilhoError:
        raise
    except (Exception, SystemExit) as error:  # a function that ends itself would end us, and with its own exit code
        path = materials.project.steps.get(step)
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        raise StepFailed(
            f"Step {step} failed" + (f" in {path}." if path else "."),
            state="Nothing half-made was kept; earlier steps are, and the champion is unchanged.",
            why=f"{type(error).__name__}: {error}",
            remedy="Free some disk space, then: trilho run" if full else f"Correct the cause, then: trilho run {step}",
        ) from error


def _now_known(project: ProjectFile, out: Path) -> Ingredients:
    content = json.loads((out / "dataset.json").read_text(encoding="utf-8"))["fingerprint"]
    return ingest_ingredients(project, content)


def _reused(step: str, entry: Entry) -> StepResult:
    return StepResult(step=step, status="reused", facts=entry.facts, folder=entry.folder, key=entry.folder.name)
