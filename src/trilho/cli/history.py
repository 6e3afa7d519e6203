"""trilho history: who moved the champion, when, from where to where, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project

if TYPE_CHECKING:
    from trilho.registry import Event


def history(project: Folder = HERE, profile: Profile = None, overrides: Overrides = None, json: AsJson = False) -> None:
    """Show every promotion, refusal and retraining, in order."""
    from trilho import registry
    from trilho.cli import output
    from trilho.cli.worded import event_json, moment

    file = load_project(project, profile, overrides)
    with connected(file) as client:
        events = registry.history(registry.open_store(client), file.register.name)
    if json:
        output.as_json([event_json(event) for event in events])
        return
    if not events:
        output.state("History", f"{file.register.name} has none yet: trilho run")
        return
    rows = []
    for event in events:
        before = f"v{event.before}" if event.before else "none"
        if event.kind == "refused":
            moved = f"v{event.after} refused, {before} stays"
        elif event.kind == "retraining":
            moved = f"{before} stays"
        else:
            moved = f"{before} → " + (f"v{event.after}" if event.after else "none")
        what = event.kind + (" (forced)" if event.forced else "") + ("" if event.valid else " (void)")
        why = event.why
        if event.kind == "retraining":
            why += f" → {event.outcome or _without_outcome(event, events)}"
        rows.append((moment(event.when), what, moved, event.who, why))
    output.table(dict.fromkeys(("when", "what", "champion", "who", "why"), "left"), rows)


def _without_outcome(event: Event, events: tuple[Event, ...]) -> str:
    if not event.valid:
        return "somebody else was faster"
    later = any(one.kind == "retraining" and one.valid and one.number > event.number for one in events)
    return "fell silent, taken over" if later else "at work"
