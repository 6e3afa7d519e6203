"""What is old, and what stays for another reason than its age."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trilho.platform.clearing import Facts, LoggedModel, Run, Versions, choose
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


def test_models_of_runs_deleted_before_go_unless_a_version_needs_them() -> None:
    models = tuple(LoggedModel(model_id=f"m-{n}", run_id=f"r{n}", artifacts="") for n in (1, 2))
    registered = (Versions(name="kept", versions=(version(1, aliases=("champion",)),), champions=(1,)),)
    choice = choose(Facts(runs=(), models=models, registered=registered, deleted_runs=(run(1), run(2))), 1)
    assert [model.model_id for model in choice.models] == ["m-2"]
    assert [found.run_id for found in choice.revived] == ["r1"], "a run that a champion came from is put back"


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
