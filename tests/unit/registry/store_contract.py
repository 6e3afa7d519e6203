"""What every VersionStore does, MLflow's and the one in memory: the same tests run on both.

A subclass gives the fixture `store` and says how a person deletes things there.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from trilho import registry
from trilho.errors import InvalidProject, PromotionContested, PromotionRefused, VersionNotFound
from trilho.registry import CHALLENGER, CHAMPION, PREVIOUS, Event, Version, VersionStore


def number_of(version: Version | None) -> int | None:
    return version.number if version else None


class VersionStoreContract:
    def delete_version(self, store: Any, name: str, number: int) -> None:
        raise NotImplementedError

    def delete_model(self, store: Any, name: str) -> None:
        raise NotImplementedError

    def untag_event(self, store: Any, name: str, number: int, tag: str) -> None:
        store.tag_event(name, number, {tag: None})

    @pytest.fixture
    def name(self) -> str:
        return f"fraud-{secrets.token_hex(4)}"

    def register(self, store: VersionStore, name: str, count: int = 1, **tags: str) -> None:
        for _ in range(count):
            store.create(name, source="s3://bucket/model", run_id="", model_id="", tags=tags)

    def promote(self, store: VersionStore, name: str, *numbers: int, stages: bool = False) -> None:
        for number in numbers:
            champion = number_of(registry.champion(store, name))
            registry.promote(store, name, number, before=champion, who="ana", why="better", stages=stages)

    def kinds(self, store: VersionStore, name: str) -> list[str]:
        return [event.kind for event in registry.history(store, name)]

    # Versions

    def test_versions_are_numbered_from_one_and_listed_newest_first(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        assert [version.number for version in store.versions(name)] == [3, 2, 1]

    def test_a_version_carries_its_tags_and_what_they_say_of_the_bundle(self, store: VersionStore, name: str) -> None:
        self.register(store, name, **{"trilho.bundle_sha256": "ab12", "trilho.bundle_path": "x/y.tar", "note": "é\n'"})
        version = store.get(name, 1)
        assert (version.digest, version.bundle_path, version.tags["note"]) == ("ab12", "x/y.tar", "é\n'")
        assert version.artifact_root == "s3://bucket/model"
        assert version.created > 0

    def test_a_version_without_our_tags_is_as_good(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        assert (store.get(name, 1).digest, store.get(name, 1).tags) == ("", {})
        self.promote(store, name, 1)
        assert number_of(registry.champion(store, name)) == 1

    def test_registering_the_same_run_twice_gives_the_same_version(self, store: VersionStore, name: str) -> None:
        for key in ("run a", "run b", "run a"):
            self.register(store, name, **{"trilho.run_key": key})
        assert [version.number for version in store.versions(name)] == [2, 1]

    def test_tags_are_added_to_those_that_are_there(self, store: VersionStore, name: str) -> None:
        self.register(store, name, old="1")
        store.set_tags(name, 1, {"new": "2", "old": "3"})
        assert store.get(name, 1).tags == {"old": "3", "new": "2"}

    def test_an_alias_names_one_version_until_it_is_moved_or_removed(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        assert store.by_alias(name, "shadow") is None
        store.set_alias(name, "shadow", 1)
        store.set_alias(name, "shadow", 2)
        assert number_of(store.by_alias(name, "shadow")) == 2
        assert [version.aliases for version in store.versions(name)] == [("shadow",), ()]
        store.remove_alias(name, "shadow")
        store.remove_alias(name, "shadow")
        assert store.by_alias(name, "shadow") is None

    def test_a_stage_is_held_by_one_version(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        store.set_stage(name, 1, "Production")
        store.set_stage(name, 2, "Production")
        assert [version.stage for version in store.versions(name)] == ["Production", "Archived"]

    def test_a_name_with_a_quote_works_everywhere(self, store: VersionStore, name: str) -> None:
        quoted = f"ana's {name}"
        self.register(store, quoted, 1, **{"trilho.run_key": "k"})
        self.register(store, quoted, 1, **{"trilho.run_key": "k"})
        self.promote(store, quoted, 1)
        assert self.kinds(store, quoted) == ["promoted"]

    @pytest.mark.parametrize("bad", ["", " ", "a/b", "a:b", "a@b", "..", "a\nb", "a'b\"c", "x.history", "x" * 249])
    def test_a_name_that_cannot_be_held_is_refused_with_the_reason(self, store: VersionStore, bad: str) -> None:
        with pytest.raises(InvalidProject, match="cannot be called") as refusal:
            self.register(store, bad)
        assert refusal.value.why

    def test_the_longest_name_has_room_for_its_history(self, store: VersionStore, name: str) -> None:
        longest = (name + "x" * 248)[:248]
        self.register(store, longest)
        self.promote(store, longest, 1)
        assert self.kinds(store, longest) == ["promoted"]

    # What is not there

    def test_a_missing_model_is_named_with_a_near_one(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        for ask in (store.versions, lambda missing: store.get(missing, 1)):
            with pytest.raises(VersionNotFound, match=f"Did you mean '{name}'"):
                ask(name.replace("fraud", "frued"))

    def test_a_missing_version_is_named_with_those_there_are(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        asked = [
            lambda: store.get(name, 9),
            lambda: store.set_alias(name, "champion", 9),
            lambda: store.set_tags(name, 9, {"a": "b"}),
            lambda: store.set_stage(name, 9, "Production"),
            lambda: registry.promote(store, name, 9, before=None, who="", why=""),
            lambda: registry.refuse(store, name, 9, who="", why=""),
            lambda: registry.rollback(store, name, to=9, who="", why=""),
        ]
        for ask in asked:
            with pytest.raises(VersionNotFound, match="no version 9") as missing:
                ask()
            assert "2, 1" in missing.value.why
        assert registry.history(store, name) == ()

    def test_a_deleted_version_is_gone_with_its_aliases_and_its_number(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        store.set_alias(name, "shadow", 2)
        self.delete_version(store, name, 2)
        assert store.by_alias(name, "shadow") is None
        self.register(store, name)
        assert [version.number for version in store.versions(name)] == [3, 1]

    def test_nothing_registered_is_no_champion_and_no_history(self, store: VersionStore, name: str) -> None:
        assert registry.champion(store, name) is None
        assert registry.history(store, name) == ()
        assert store.by_alias(name, CHAMPION) is None
        store.remove_alias(name, CHAMPION)
        assert name not in store.names()

    # The log

    def test_an_event_comes_back_as_it_was_written(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        event = Event(
            kind="rolled back",
            before=None,
            after=1,
            who="ana@é",
            when=1_700_000_000.123456,
            why='"x"\n → y',
            forced=True,
            verdicts='[{"gate": "threshold"}]' + " " * 6000,
            stages=True,
        )
        number = store.append_event(name, event)
        (entry,) = store.events(name)
        assert vars(entry.event) == {**vars(event), "number": number}
        assert (entry.settled, dict(entry.writing)) == (False, {})
        assert entry.created > 0

    def test_a_reason_too_long_for_mlflow_is_cut(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        registry.refuse(store, name, 1, who="ana", why="x" * 10_000)
        (event,) = registry.history(store, name)
        assert event.why.endswith("x…")

    def test_the_history_is_no_model_of_ours(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        self.promote(store, name, 1)
        assert name in store.names()
        assert f"{name}.history" not in store.names()

    # Moving the champion

    def test_promotion_moves_champion_and_keeps_previous(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2)
        event = registry.promote(store, name, 3, before=2, who="ana", why="better", verdicts_json='["v"]', forced=True)
        assert (event.number, event.kind, event.before, event.after) == (3, "promoted", 2, 3)
        assert registry.history(store, name)[-1] == event
        assert number_of(store.by_alias(name, CHAMPION)) == 3
        assert number_of(store.by_alias(name, PREVIOUS)) == 2

    def test_promotion_against_another_champion_is_contested_and_says_who(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1)
        with pytest.raises(PromotionContested, match="v1, promoted by ana: better"):
            registry.promote(store, name, 2, before=None, who="bo", why="")
        assert number_of(store.by_alias(name, CHAMPION)) == 1

    def test_promoting_the_champion_again_changes_nothing(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        self.promote(store, name, 1)
        event = registry.promote(store, name, 1, before=None, who="bo", why="again")
        assert registry.history(store, name) == (event,)
        assert event.who == "ana"

    def test_stage_production_follows_the_champion_where_asked(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1)
        assert store.get(name, 1).stage == "None"
        self.promote(store, name, 2, 3, stages=True)
        assert [version.stage for version in store.versions(name)] == ["Production", "Archived", "None"]
        registry.rollback(store, name, who="ana", why="slow")
        assert [version.stage for version in store.versions(name)] == ["Archived", "Production", "None"]

    def test_a_refused_version_is_challenger_until_it_is_promoted(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1)
        event = registry.refuse(store, name, 2, who="ana", why="recall fell", verdicts_json='["v"]')
        assert (event.kind, event.before, event.after, event.verdicts) == ("refused", 1, 2, '["v"]')
        assert registry.history(store, name)[-1] == event
        assert number_of(store.by_alias(name, CHALLENGER)) == 2
        assert number_of(registry.champion(store, name)) == 1
        self.promote(store, name, 2)
        assert store.by_alias(name, CHALLENGER) is None

    # Going back

    def test_rolling_back_twice_goes_back_twice(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2, 3)
        assert registry.rollback(store, name, who="ana", why="slow").after == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1
        assert registry.rollback(store, name, who="ana", why="slower").after == 1
        assert store.by_alias(name, PREVIOUS) is None
        with pytest.raises(VersionNotFound, match="There is no champion of") as nothing:
            registry.rollback(store, name, who="ana", why="slowest")
        assert nothing.value.state == "V1 is champion."

    def test_a_rollback_can_be_undone_by_naming_the_version(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1, 2)
        registry.rollback(store, name, who="ana", why="slow")
        assert registry.rollback(store, name, to=2, who="ana", why="was the network").after == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1

    def test_one_cannot_go_back_to_what_never_was_champion(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1)
        with pytest.raises(PromotionRefused, match="v2 never was champion") as refusal:
            registry.rollback(store, name, to=2, who="ana", why="")
        assert refusal.value.remedy == "trilho promote 2"

    def test_rollback_without_any_champion_says_that_there_is_none(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        with pytest.raises(VersionNotFound, match="It has no champion"):
            registry.rollback(store, name, who="ana", why="")

    def test_rollback_passes_over_a_deleted_version(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2, 3)
        self.delete_version(store, name, 2)
        assert registry.rollback(store, name, who="ana", why="").after == 1

    # What people do by hand

    def test_an_alias_set_before_any_history_is_adopted(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        store.set_alias(name, CHAMPION, 2)
        assert number_of(registry.champion(store, name)) == 2
        (event,) = registry.history(store, name)
        assert (event.kind, event.before, event.after) == ("adopted", None, 2)

    def test_a_champion_moved_by_hand_is_adopted_once(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2)
        store.set_alias(name, CHAMPION, 3)
        assert number_of(registry.champion(store, name)) == 3
        registry.champion(store, name)
        assert self.kinds(store, name) == ["promoted", "promoted", "adopted"]
        assert number_of(store.by_alias(name, PREVIOUS)) == 2
        assert registry.rollback(store, name, who="ana", why="").after == 2

    def test_a_champion_moved_back_by_hand_is_a_rollback(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2, 3)
        store.set_alias(name, CHAMPION, 2)
        assert number_of(registry.champion(store, name)) == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1

    def test_a_removed_champion_alias_is_no_champion_and_can_be_rolled_back(
        self, store: VersionStore, name: str
    ) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1, 2)
        store.remove_alias(name, CHAMPION)
        assert registry.champion(store, name) is None
        assert registry.history(store, name)[-1].after is None
        assert registry.rollback(store, name, who="ana", why="").after == 2

    def test_a_deleted_champion_is_no_champion_and_rollback_takes_the_one_before(
        self, store: VersionStore, name: str
    ) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2, 3)
        self.delete_version(store, name, 3)
        assert registry.champion(store, name) is None
        assert registry.rollback(store, name, who="ana", why="").after == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1

    def test_after_a_deleted_champion_a_new_version_is_promoted_against_none(
        self, store: VersionStore, name: str
    ) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1)
        self.delete_version(store, name, 1)
        self.promote(store, name, 2)
        assert [event.after for event in registry.history(store, name)] == [1, None, 2]

    def test_a_deleted_history_starts_again_from_the_alias(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2)
        self.delete_model(store, f"{name}.history")
        self.promote(store, name, 3)
        assert [(event.kind, event.before, event.after) for event in registry.history(store, name)] == [
            ("adopted", None, 2),
            ("promoted", 2, 3),
        ]

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_a_deleted_event_changes_no_champion(self, store: VersionStore, name: str, number: int) -> None:
        self.register(store, name, 4)
        self.promote(store, name, 1, 2, 3)
        self.delete_version(store, f"{name}.history", number)
        assert number_of(registry.champion(store, name)) == 3
        self.promote(store, name, 4)
        assert number_of(registry.champion(store, name)) == 4
        last = registry.history(store, name)[-1]
        assert (last.kind, last.before, last.after, last.valid) == ("promoted", 3, 4, True)

    def test_deleting_the_event_that_won_does_not_make_the_loser_champion(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2)
        lost = Event(kind="promoted", before=1, after=3, who="rival", when=0.0, why="")
        store.append_event(name, lost)
        self.delete_version(store, f"{name}.history", 2)
        assert number_of(registry.champion(store, name)) == 2
        assert [(event.kind, event.valid) for event in registry.history(store, name)] == [
            ("promoted", True),
            ("promoted", False),
            ("adopted", True),
        ]

    @pytest.mark.parametrize("tag", ["trilho.event", "trilho.before", "trilho.after"])
    def test_an_event_that_no_longer_says_what_moved_is_as_if_deleted(
        self, store: VersionStore, name: str, tag: str
    ) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2)
        self.untag_event(store, name, 1, tag)
        assert [event.number for event in registry.history(store, name)] == [2]
        self.promote(store, name, 3)
        assert number_of(registry.champion(store, name)) == 3

    def test_an_event_without_who_and_why_still_counts(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1)
        for tag in ("trilho.who", "trilho.why", "trilho.when", "trilho.verdicts", "trilho.forced"):
            self.untag_event(store, name, 1, tag)
        (event,) = registry.history(store, name)
        assert (event.valid, event.who, event.why, event.verdicts) == (True, "unknown", "", "[]")
        assert event.when > 0
        assert number_of(registry.champion(store, name)) == 1

    def test_a_deleted_model_leaves_no_champion_but_its_history(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        self.promote(store, name, 1)
        self.delete_model(store, name)
        assert registry.champion(store, name) is None
        assert self.kinds(store, name) == ["promoted"]

    def test_a_version_of_a_new_model_is_not_mistaken_for_one_of_the_deleted(
        self, store: VersionStore, name: str
    ) -> None:
        self.register(store, name, 2)
        self.promote(store, name, 1, 2)
        self.delete_model(store, name)
        self.register(store, name, 3)
        self.promote(store, name, 3)
        assert store.by_alias(name, PREVIOUS) is None
        with pytest.raises(VersionNotFound, match="There is no champion of"):
            registry.rollback(store, name, who="ana", why="")
        with pytest.raises(PromotionRefused, match="never was champion"):
            registry.rollback(store, name, to=2, who="ana", why="")

    # Names of versions

    def test_every_way_to_name_a_version_leads_to_it(self, store: VersionStore, name: str) -> None:
        self.register(store, name, 3)
        self.promote(store, name, 1, 2, stages=True)
        for place, number in {"@champion": 2, "@previous": 1, "/3": 3, "/latest": 3, "/Production": 2}.items():
            assert registry.resolve(store, f"models:/{name}{place}") == store.get(name, number)
        assert registry.resolve(store, f"models:/{name}/production").number == 2

    def test_a_uri_that_leads_nowhere_says_what_there_is(self, store: VersionStore, name: str) -> None:
        self.register(store, name)
        self.promote(store, name, 1)
        for uri, said in {
            f"models:/{name}@champoin": "Did you mean 'champion'",
            f"models:/{name}/7": "Its versions, newest first: 1",
            f"models:/{name}/Staging": "register.stages",
            f"models:/{name.replace('fraud', 'frued')}@champion": f"Did you mean '{name}'",
            f"models:/{name}/produktion": "models:/NAME@champion",
            "models:/m-123": "models:/NAME@champion",
            "runs:/1/model": "models:/NAME@champion",
            name: "models:/NAME@champion",
        }.items():
            with pytest.raises(VersionNotFound) as missing:
                registry.resolve(store, uri)
            assert said in str(missing.value)
