"""What a server holds: experiments with runs, runs with metrics, versions of the project's model."""

from __future__ import annotations

from typing import Any

from trilho.errors import ServerRefused
from trilho.platform.doctor.finding import Finding, counted, ok, some, trouble
from trilho.platform.doctor.site import Site, named
from trilho.wire import Client, connect

_EXPERIMENTS, _RUNS = 200, 200  # looked at, the newest of each


def empty_experiments(site: Site) -> Finding | None:
    """ "Experiments without history": they are listed, and hold no runs."""
    if not site.answers:
        return None
    with connect(site.tracking_uri, environment=site.environment) as client:
        experiments = [
            found for found in _experiments(client) if found["experiment_id"] != "0"
        ]  # "Default" is MLflow's
        empty = [found["name"] for found in experiments if not _runs(client, found, most=1, view="ALL")]
    if not empty:
        return ok(f"{counted(len(experiments), 'experiment')} with runs.")
    return trouble(
        f"{counted(len(empty), 'experiment')} without a run: {some(empty)}.",
        expected="An experiment is made by its first run.",
        remedy="Its runs went elsewhere, or ended before they were logged: see the training's output, and whether its\n"
        "MLFLOW_TRACKING_URI was this server's. Runs that trilho could not send wait on disk: trilho sync\n"
        "An experiment that is not wanted: mlflow experiments delete -x ID",
    )


def runs_without_metrics(site: Site) -> Finding | None:
    """Runs are listed, and `SELECT COUNT(*) FROM metrics` gives 0."""
    if not site.answers:
        return None
    told, looked = [], 0
    with connect(site.tracking_uri, environment=site.environment) as client:
        for found in _experiments(client):
            runs = _runs(client, found, most=_RUNS, only="attributes.status = 'FINISHED'")
            bare = [run for run in runs if not run.get("data", {}).get("metrics")]
            looked += len(runs)
            if bare and (len(bare) == len(runs) or found["name"] == site.experiment):
                told.append(f"{len(bare)} of {len(runs)} in '{found['name']}'")
    if not told:
        return ok(f"{counted(looked, 'finished run')} with metrics.")
    return trouble(
        f"Finished runs without a metric: {some(told)}.",
        expected="Each run of an experiment that measures has its metrics.",
        remedy="Log them inside the run: with mlflow.start_run(): mlflow.log_metric(…)\n"
        "A training that lost its server half-way ends without them: run it again. (trilho run keeps them,\n"
        "and sends it later: trilho sync.)",
    )


def no_versions(site: Site) -> Finding | None:
    """`RESOURCE_DOES_NOT_EXIST: Registered Model with name=… not found`, although models were trained."""
    if not site.answers or not site.model:
        return None
    with connect(site.tracking_uri, environment=site.environment) as client:
        experiment = next((found for found in _experiments(client) if found["name"] == site.experiment), None)
        runs = _runs(client, experiment, most=_RUNS, only="attributes.status = 'FINISHED'") if experiment else []
        question = {"filter": named(site.model), "max_results": 1}
        versions = client.get("model-versions/search", question).get("model_versions", [])
    if versions or not runs:
        return ok(f"'{site.model}' has versions." if versions else "Nothing was trained yet.")
    return trouble(
        f"{counted(len(runs), 'finished run')} in '{site.experiment}', and no version of '{site.model}'.",
        expected="Each trained model is registered as a version.",
        remedy="trilho run registers what it trains. A model that was only logged: trilho register runs:/RUN_ID/model\n"
        "If versions were there before, the server runs over another database than then: see its --backend-store-uri.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _experiments(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("experiments/search", {"max_results": _EXPERIMENTS}).get("experiments", [])
    return found


def _runs(
    client: Client, experiment: dict[str, Any], *, most: int, only: str = "", view: str = "ACTIVE_ONLY"
) -> list[dict[str, Any]]:
    question = {"experiment_ids": [experiment["experiment_id"]], "max_results": most, "run_view_type": view}
    try:
        found: list[dict[str, Any]] = client.post("runs/search", {**question, "filter": only}).get("runs", [])
    except ServerRefused as error:
        if error.status == 404:  # deleted since it was listed
            return []
        raise
    return found
