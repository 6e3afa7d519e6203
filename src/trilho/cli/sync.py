"""trilho sync: send the runs that wait in the spool, and decide on the versions they make."""

from __future__ import annotations

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project


def sync(project: Folder = HERE, profile: Profile = None, overrides: Overrides = None, json: AsJson = False) -> None:
    """Send what an outage left in the spool. Each run is sent once, with its own times; then judged and promoted."""
    from trilho import steps, tracking
    from trilho.cli import output
    from trilho.cli.exits import FAILED, exit_code_after
    from trilho.cli.worded import judgement_json, show_judgement
    from trilho.steps.facts import counted

    file = load_project(project, profile, overrides)
    before = len(tracking.waiting(file.state_dir / "spool"))
    if not before:
        if json:
            output.as_json({"sent": 0, "waiting": 0, "judged": [], "damaged": []})
        else:
            output.state("Sent", "nothing was waiting")
        return
    with connected(file) as client:
        synced = steps.sync(file, client, say=output.progress)
    left = len(tracking.waiting(file.state_dir / "spool"))
    if json:
        facts = {"sent": before - left, "waiting": left, "judged": [judgement_json(item) for item in synced.judged]}
        output.as_json({**facts, "damaged": [error.what for error in synced.damaged]})
    else:
        output.state("Sent", f"{before - left} of {counted(before, 'run')}" + (f"; {left} still wait" if left else ""))
        for item in synced.judged:
            output.plain()
            show_judgement(file, item)
    raise typer.Exit(FAILED if synced.damaged else exit_code_after(synced.judged))
