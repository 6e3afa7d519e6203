"""What promotion, refusal and rollback do on every VersionStore, and what becomes of what people do by hand.

A subclass gives the fixture `store` and says how a person deletes things there.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from trilho import registry
from trilho.errors import PromotionContested, PromotionRefused, VersionNotFound
from trilho.registry import CHALLENGER, CHAMPION, PREVIOUS, Event, VersionStore
from unit.registry.registering import kinds, number_of, promote, register


class PromotionContract:
    def delete_version(self, store: Any, name: str, number: int) -> None:
        raise NotImplementedError

    def delete_model(self, store: Any, name: str) -> None:
        raise NotImplementedError

    @pytest.fixture
    def name(self) -> str:
        return f"fraud-{secrets.token_hex(4)}"

    # Moving the champion

    def test_promotion_moves_champion_and_keeps_previous(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2)
        event = registry.promote(store, name, 3, before=2, who="ana", why="better", verdicts_json='["v"]', forced=True)
        assert (event.number, event.kind, event.before, event.after) == (3, "promoted", 2, 3)
        assert registry.history(store, name)[-1] == event
        assert number_of(store.by_alias(name, CHAMPION)) == 3
        assert number_of(store.by_alias(name, PREVIOUS)) == 2

    def test_promotion_against_another_champion_is_contested_and_says_who(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        promote(store, name, 1)
        with pytest.raises(PromotionContested, match="v1, promoted by ana: better"):
            registry.promote(store, name, 2, before=None, who="bo", why="")
        assert number_of(store.by_alias(name, CHAMPION)) == 1

    def test_promoting_the_champion_again_changes_nothing(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        event = registry.promote(store, name, 1, before=None, who="bo", why="again")
        assert registry.history(store, name) == (event,)
        assert event.who == "ana"

    def test_stage_production_follows_the_champion_where_asked(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1)
        assert store.get(name, 1).stage == "None"
        promote(store, name, 2, 3, stages=True)
        assert [version.stage for version in store.versions(name)] == ["Production", "Archived", "None"]
        registry.rollback(store, name, who="ana", why="slow")
        assert [version.stage for version in store.versions(name)] == ["Archived", "Production", "None"]

    def test_a_refusal_stands_until_something_happens_to_the_version(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        assert registry.standing_refusal(store, name, 2) is None
        promote(store, name, 1)
        event = registry.refuse(store, name, 2, who="ana", why="recall fell")
        registry.refuse(store, name, 3, who="ana", why="recall fell more")
        assert registry.standing_refusal(store, name, 2) == event
        assert registry.standing_refusal(store, name, 1) is None
        promote(store, name, 2)
        registry.rollback(store, name, who="ana", why="not yet")
        assert registry.standing_refusal(store, name, 2) is None, "it was champion since"

    def test_a_refused_version_is_challenger_until_it_is_promoted(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        promote(store, name, 1)
        event = registry.refuse(store, name, 2, who="ana", why="recall fell", verdicts_json='["v"]')
        assert (event.kind, event.before, event.after, event.verdicts) == ("refused", 1, 2, '["v"]')
        assert registry.history(store, name)[-1] == event
        assert number_of(store.by_alias(name, CHALLENGER)) == 2
        assert number_of(registry.champion(store, name)) == 1
        promote(store, name, 2)
        assert store.by_alias(name, CHALLENGER) is None

    # Going back

    def test_rolling_back_twice_goes_back_twice(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2, 3)
        assert registry.rollback(store, name, who="ana", why="slow").after == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1
        assert registry.rollback(store, name, who="ana", why="slower").after == 1
        assert store.by_alias(name, PREVIOUS) is None
        with pytest.raises(VersionNotFound, match="There is no champion of") as nothing:
            registry.rollback(store, name, who="ana", why="slowest")
        assert nothing.value.state == "V1 is champion."

    def test_a_rollback_can_be_undone_by_naming_the_version(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        promote(store, name, 1, 2)
        registry.rollback(store, name, who="ana", why="slow")
        assert registry.rollback(store, name, to=2, who="ana", why="was the network").after == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1

    def test_one_cannot_go_back_to_what_never_was_champion(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        promote(store, name, 1)
        with pytest.raises(PromotionRefused, match="v2 never was champion") as refusal:
            registry.rollback(store, name, to=2, who="ana", why="")
        assert refusal.value.remedy == "trilho promote 2"

    def test_going_back_from_one_champion_leaves_another_alone(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2, 3)
        with pytest.raises(PromotionContested, match="to go back from v2, but somebody else was faster"):
            registry.rollback(store, name, who="bo", why="", only_from=2)
        assert number_of(store.by_alias(name, CHAMPION)) == 3
        assert registry.rollback(store, name, who="bo", why="", only_from=3).after == 2

    def test_rollback_without_any_champion_says_that_there_is_none(self, store: VersionStore, name: str) -> None:
        register(store, name)
        with pytest.raises(VersionNotFound, match="It has no champion"):
            registry.rollback(store, name, who="ana", why="")

    def test_rollback_passes_over_a_deleted_version(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2, 3)
        self.delete_version(store, name, 2)
        assert registry.rollback(store, name, who="ana", why="").after == 1

    # What people do by hand

    def test_an_alias_set_before_any_history_is_adopted(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        store.set_alias(name, CHAMPION, 2)
        assert number_of(registry.champion(store, name)) == 2
        (event,) = registry.history(store, name)
        assert (event.kind, event.before, event.after) == ("adopted", None, 2)

    def test_a_champion_moved_by_hand_is_adopted_once(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2)
        store.set_alias(name, CHAMPION, 3)
        assert number_of(registry.champion(store, name)) == 3
        registry.champion(store, name)
        assert kinds(store, name) == ["promoted", "promoted", "adopted"]
        assert number_of(store.by_alias(name, PREVIOUS)) == 2
        assert registry.rollback(store, name, who="ana", why="").after == 2

    def test_a_champion_moved_back_by_hand_is_a_rollback(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2, 3)
        store.set_alias(name, CHAMPION, 2)
        assert number_of(registry.champion(store, name)) == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1

    def test_a_removed_champion_alias_is_no_champion_and_can_be_rolled_back(
        self, store: VersionStore, name: str
    ) -> None:
        register(store, name, 2)
        promote(store, name, 1, 2)
        store.remove_alias(name, CHAMPION)
        assert registry.champion(store, name) is None
        assert registry.history(store, name)[-1].after is None
        assert registry.rollback(store, name, who="ana", why="").after == 2

    def test_a_deleted_champion_is_no_champion_and_rollback_takes_the_one_before(
        self, store: VersionStore, name: str
    ) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2, 3)
        self.delete_version(store, name, 3)
        assert registry.champion(store, name) is None
        assert registry.rollback(store, name, who="ana", why="").after == 2
        assert number_of(store.by_alias(name, PREVIOUS)) == 1

    def test_after_a_deleted_champion_a_new_version_is_promoted_against_none(
        self, store: VersionStore, name: str
    ) -> None:
        register(store, name, 2)
        promote(store, name, 1)
        self.delete_version(store, name, 1)
        promote(store, name, 2)
        assert [event.after for event in registry.history(store, name)] == [1, None, 2]

    def test_a_deleted_history_starts_again_from_the_alias(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2)
        self.delete_model(store, f"{name}.history")
        promote(store, name, 3)
        assert [(event.kind, event.before, event.after) for event in registry.history(store, name)] == [
            ("adopted", None, 2),
            ("promoted", 2, 3),
        ]

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_a_deleted_event_changes_no_champion(self, store: VersionStore, name: str, number: int) -> None:
        register(store, name, 4)
        promote(store, name, 1, 2, 3)
        self.delete_version(store, f"{name}.history", number)
        assert number_of(registry.champion(store, name)) == 3
        promote(store, name, 4)
        assert number_of(registry.champion(store, name)) == 4
        last = registry.history(store, name)[-1]
        assert (last.kind, last.before, last.after, last.valid) == ("promoted", 3, 4, True)

    def test_deleting_the_event_that_won_does_not_make_the_loser_champion(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2)
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
        register(store, name, 3)
        promote(store, name, 1, 2)
        store.tag_event(name, 1, {tag: None})
        assert [event.number for event in registry.history(store, name)] == [2]
        promote(store, name, 3)
        assert number_of(registry.champion(store, name)) == 3

    def test_an_event_without_who_and_why_still_counts(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        promote(store, name, 1)
        for tag in ("trilho.who", "trilho.why", "trilho.when", "trilho.verdicts", "trilho.forced"):
            store.tag_event(name, 1, {tag: None})
        (event,) = registry.history(store, name)
        assert (event.valid, event.who, event.why, event.verdicts) == (True, "unknown", "", "[]")
        assert event.when > 0
        assert number_of(registry.champion(store, name)) == 1

    def test_a_deleted_model_leaves_no_champion_but_its_history(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        self.delete_model(store, name)
        assert registry.champion(store, name) is None
        assert kinds(store, name) == ["promoted"]

    def test_a_version_of_a_new_model_is_not_mistaken_for_one_of_the_deleted(
        self, store: VersionStore, name: str
    ) -> None:
        register(store, name, 2)
        promote(store, name, 1, 2)
        self.delete_model(store, name)
        register(store, name, 3)
        promote(store, name, 3)
        assert store.by_alias(name, PREVIOUS) is None
        with pytest.raises(VersionNotFound, match="There is no champion of"):
            registry.rollback(store, name, who="ana", why="")
        with pytest.raises(PromotionRefused, match="never was champion"):
            registry.rollback(store, name, to=2, who="ana", why="")
