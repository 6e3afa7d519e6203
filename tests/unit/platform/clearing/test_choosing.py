"""What is old, and what stays for another reason than its age."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from trilho.platform.clearing import Experiment, Facts, Held, LoggedModel, Run, Versions, choose
from trilho.registry import Version


def run(number: int, *, parent: int | None = None, running: bool = False, experiment: str = "1") -> Run:
    return Run(
        run_id=f"r{number}",
        experiment_id=experiment,
        started=float(number),
        parent="" if parent is None else f"r{parent}",
        running=running,
    )


def version(number: int, *, aliases: tuple[str, ...] = (), stage: str = "None", made_by: int | None = None) -> Version:
    return Version(
        name="kept", number=number, aliases=aliases, stage=stage, run_id=f"r{number if made_by is None else made_by}"
    )


def chosen(
    keep: int, *versions: Version, champions: tuple[int, ...] = (), runs: tuple[Run, ...] = ()
) -> tuple[list[int], list[str]]:
    registered = (Versions(name="kept", versions=versions, champions=champions),)
    models = tuple(LoggedModel(model_id=f"m-{each.run_id}", run_id=each.run_id, artifacts="") for each in runs)
    choice = choose(Facts(runs=runs, models=models, registered=registered), keep)
    assert {model.run_id for model in choice.models} == {each.run_id for each in choice.runs}
    return [each.number for each in choice.versions], [each.run_id for each in choice.runs]


def test_the_newest_stay() -> None:
    assert chosen(2, *map(version, range(5)), runs=tuple(map(run, range(5)))) == ([0, 1, 2], ["r2", "r1", "r0"])


def test_a_champion_and_whatever_has_an_alias_stay_with_their_runs() -> None:
    versions = (version(1, aliases=("champion",)), version(2), version(3, aliases=("mine",)), version(4))
    assert chosen(1, *versions, runs=tuple(map(run, range(1, 5)))) == ([2], ["r2"])


def test_the_last_champions_stay_and_older_ones_go() -> None:
    versions = tuple(version(number) for number in range(1, 8))
    # 5 again and again is one champion, not several
    assert chosen(2, *versions, champions=(5, 2, 5, 2, 1))[0] == [1, 3, 4]
    assert chosen(3, *versions, champions=(5, 2, 5, 2, 1))[0] == [3, 4]


def test_old_stages_stay() -> None:
    versions = (version(1, stage="Production"), version(2, stage="Archived"), version(3))
    assert chosen(1, *versions)[0] == [2]


def test_a_version_says_why_it_stays() -> None:
    registered = (Versions(name="kept", versions=(version(1, aliases=("champion",)), version(2)), champions=(1,)),)
    assert choose(Facts(runs=(), models=(), registered=registered), 1).kept == {("kept", 1): "@champion"}


def test_a_run_goes_with_the_runs_nested_in_it() -> None:
    nested = (run(1), run(2, parent=1), run(9, parent=2), run(3), run(4))
    assert chosen(1, runs=nested)[1] == ["r4", "r3"], "the family of 1 is the newest: 9 belongs to it"
    assert chosen(1, version(2), runs=nested)[1] == ["r4", "r3"]


def test_a_run_that_still_runs_stays() -> None:
    assert chosen(1, runs=(run(1, running=True), run(2), run(3)))[1] == ["r2"]


def test_each_experiment_keeps_its_own() -> None:
    runs = (run(1), run(2), run(3, experiment="2"), run(4, experiment="2"))
    assert sorted(chosen(1, runs=runs)[1]) == ["r1", "r3"]


def test_runs_of_other_models_versions_stay() -> None:
    other = Versions(name="other", ours=False, versions=(version(1), version(2), version(3)), champions=())
    choice = choose(Facts(runs=tuple(map(run, range(1, 5))), models=(), registered=(other,)), 1)
    assert (choice.versions, choice.runs) == ((), ())


def deleted_before(*numbers: int, experiment: str = "1") -> Facts:
    """Runs with a model each, deleted in MLflow; the champion is of the first."""
    return Facts(
        runs=(),
        models=tuple(LoggedModel(model_id=f"m-{n}", run_id=f"r{n}", artifacts="") for n in numbers),
        registered=(
            Versions(
                name="kept", versions=(version(1, aliases=("champion",), made_by=numbers[0]),), champions=(numbers[0],)
            ),
        ),
        deleted_runs=tuple(run(n, experiment=experiment) for n in numbers),
    )


def test_what_was_deleted_before_goes_unless_a_version_needs_it() -> None:
    choice = choose(deleted_before(1, 2), 1)
    assert [found.run_id for found in choice.marked] == ["r2"]
    assert [model.model_id for model in choice.models] == ["m-2"]
    assert choice.held == (Held(what="run", name="r1", why="kept v1 needs it"),)


def test_a_deleted_model_of_a_version_that_stays_is_held_and_others_go() -> None:
    marked = tuple(LoggedModel(model_id=f"m-{n}", run_id="r1", artifacts="", deleted=True) for n in (1, 2))
    used = Version(name="kept", number=1, aliases=("champion",), run_id="r1", model_id="m-1")
    registered = (Versions(name="kept", versions=(used,), champions=()),)
    choice = choose(Facts(runs=(run(1),), models=marked, registered=registered), 1)
    assert [model.model_id for model in choice.models] == ["m-2"]
    assert choice.held == (Held(what="model", name="m-1", why="kept v1 needs it"),)
    assert not choice.empty


def test_what_only_the_row_of_a_version_names_stays() -> None:
    facts = Facts(
        runs=tuple(map(run, (1, 2, 3))),
        models=(LoggedModel(model_id="m-1", run_id="r1", artifacts=""),),
        registered=(),
        named={("hidden", 1): frozenset({"m-1"}), ("by its place", 4): frozenset({"r2"})},
    )
    assert choose(facts, 1).runs == (), "m-1 was made by r1; neither version was seen by name"


def test_a_run_stays_while_a_model_that_stays_has_metrics_of_it_and_so_on() -> None:
    models = tuple(LoggedModel(model_id=f"m-{n}", run_id=f"r{n}", artifacts="") for n in range(1, 5))
    facts = Facts(
        runs=tuple(map(run, range(1, 5))),
        models=models,
        registered=(),
        measured=frozenset({("m-4", "r3"), ("m-3", "r2"), ("m-1", "r1")}),
    )
    assert [found.run_id for found in choose(facts, 1).runs] == ["r1"]


def test_a_deleted_experiment_stays_with_whatever_in_it_stays() -> None:
    dead = Experiment(experiment_id="7", name="away")
    facts = replace(deleted_before(1, 2, experiment="7"), deleted_experiments=(dead,))
    assert choose(facts, 1).experiments == ()
    assert Held(what="experiment", name="away", why="run r1 in it stays") in choose(facts, 1).held
    assert choose(replace(facts, registered=()), 1).experiments == (dead,)
    model = LoggedModel(model_id="m-9", run_id="gone", artifacts="", experiment_id="7")
    assert choose(replace(facts, registered=(), models=(model,)), 1).experiments == ()
    occupied = replace(dead, occupied=True)
    assert choose(replace(facts, registered=(), deleted_experiments=(occupied,)), 1).experiments == ()


def test_a_model_without_a_run_goes_with_its_deleted_experiment() -> None:
    model = LoggedModel(model_id="m-9", run_id="", artifacts="", experiment_id="7")
    dead = Experiment(experiment_id="7", name="away")
    choice = choose(Facts(runs=(), models=(model,), registered=(), deleted_experiments=(dead,)), 1)
    assert (choice.models, choice.experiments) == ((model,), (dead,))
    assert choose(Facts(runs=(), models=(model,), registered=()), 1).empty


def test_runs_nested_in_a_circle_are_old_like_others() -> None:
    assert sorted(chosen(1, runs=(run(1, parent=2), run(2, parent=1), run(3)))[1]) in (["r1", "r2"], ["r1"], ["r2"])


@given(
    keep=st.integers(1, 6),
    aliased=st.sets(st.integers(1, 12)),
    champions=st.lists(st.integers(1, 12), max_size=8),
)
def test_no_version_in_use_and_no_run_of_one_ever_goes(keep: int, aliased: set[int], champions: list[int]) -> None:
    versions = tuple(version(number, aliases=("a",) if number in aliased else ()) for number in range(1, 13))
    runs = tuple(map(run, range(1, 13)))
    gone, old = chosen(keep, *versions, champions=tuple(champions), runs=runs)
    staying = set(range(1, 13)) - set(gone)
    assert aliased | set(list(dict.fromkeys(champions))[:keep]) | set(range(13 - keep, 13)) <= staying
    assert not {f"r{number}" for number in staying} & set(old)
    assert set(old) == {f"r{number}" for number in gone}
