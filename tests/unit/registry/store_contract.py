"""What every VersionStore does, MLflow's and the one in memory: the same tests run on both.

A subclass gives the fixture `store` and says how a person deletes things there.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from trilho import registry
from trilho.errors import InvalidProject, VersionNotFound
from trilho.registry import CHAMPION, Event, VersionStore
from unit.registry.registering import kinds, number_of, promote, register


class VersionStoreContract:
    def delete_version(self, store: Any, name: str, number: int) -> None:
        raise NotImplementedError

    @pytest.fixture
    def name(self) -> str:
        return f"fraud-{secrets.token_hex(4)}"

    # Versions

    def test_versions_are_numbered_from_one_and_listed_newest_first(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        assert [version.number for version in store.versions(name)] == [3, 2, 1]

    def test_a_version_carries_its_tags_and_what_they_say_of_the_bundle(self, store: VersionStore, name: str) -> None:
        register(store, name, **{"trilho.bundle_sha256": "ab12", "trilho.bundle_path": "x/y.tar", "note": "é\n'"})
        version = store.get(name, 1)
        assert (version.digest, version.bundle_path, version.tags["note"]) == ("ab12", "x/y.tar", "é\n'")
        assert version.artifact_root == "s3://bucket/model"
        assert version.created > 0

    def test_a_version_without_our_tags_is_as_good(self, store: VersionStore, name: str) -> None:
        register(store, name)
        assert (store.get(name, 1).digest, store.get(name, 1).tags) == ("", {})
        promote(store, name, 1)
        assert number_of(registry.champion(store, name)) == 1

    def test_registering_the_same_run_twice_gives_the_same_version(self, store: VersionStore, name: str) -> None:
        for key in ("run a", "run b", "run a"):
            register(store, name, **{"trilho.run_key": key})
        assert [version.number for version in store.versions(name)] == [2, 1]

    def test_tags_are_added_to_those_that_are_there(self, store: VersionStore, name: str) -> None:
        register(store, name, old="1")
        store.set_tags(name, 1, {"new": "2", "old": "3"})
        assert store.get(name, 1).tags == {"old": "3", "new": "2"}

    def test_an_alias_names_one_version_until_it_is_moved_or_removed(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        assert store.by_alias(name, "shadow") is None
        store.set_alias(name, "shadow", 1)
        store.set_alias(name, "shadow", 2)
        assert number_of(store.by_alias(name, "shadow")) == 2
        assert [version.aliases for version in store.versions(name)] == [("shadow",), ()]
        store.remove_alias(name, "shadow")
        store.remove_alias(name, "shadow")
        assert store.by_alias(name, "shadow") is None

    def test_a_stage_is_held_by_one_version(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        store.set_stage(name, 1, "Production")
        store.set_stage(name, 2, "Production")
        assert [version.stage for version in store.versions(name)] == ["Production", "Archived"]

    def test_a_name_with_a_quote_works_everywhere(self, store: VersionStore, name: str) -> None:
        quoted = f"ana's {name}"
        register(store, quoted, 1, **{"trilho.run_key": "k"})
        register(store, quoted, 1, **{"trilho.run_key": "k"})
        promote(store, quoted, 1)
        assert kinds(store, quoted) == ["promoted"]

    @pytest.mark.parametrize("bad", ["", " ", "a/b", "a:b", "a@b", "..", "a\nb", "a'b\"c", "x.history", "x" * 249])
    def test_a_name_that_cannot_be_held_is_refused_with_the_reason(self, store: VersionStore, bad: str) -> None:
        with pytest.raises(InvalidProject, match="cannot be called") as refusal:
            register(store, bad)
        assert refusal.value.why

    def test_the_longest_name_has_room_for_its_history(self, store: VersionStore, name: str) -> None:
        longest = (name + "x" * 248)[:248]
        register(store, longest)
        promote(store, longest, 1)
        assert kinds(store, longest) == ["promoted"]

    # What is not there

    def test_a_missing_model_is_named_with_a_near_one(self, store: VersionStore, name: str) -> None:
        register(store, name)
        for ask in (store.versions, lambda missing: store.get(missing, 1)):
            with pytest.raises(VersionNotFound, match=f"Did you mean '{name}'"):
                ask(name.replace("fraud", "frued"))

    def test_a_missing_version_is_named_with_those_there_are(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
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
        register(store, name, 2)
        store.set_alias(name, "shadow", 2)
        self.delete_version(store, name, 2)
        assert store.by_alias(name, "shadow") is None
        register(store, name)
        assert [version.number for version in store.versions(name)] == [3, 1]

    def test_nothing_registered_is_no_champion_and_no_history(self, store: VersionStore, name: str) -> None:
        assert registry.champion(store, name) is None
        assert registry.history(store, name) == ()
        assert store.by_alias(name, CHAMPION) is None
        store.remove_alias(name, CHAMPION)
        assert name not in store.names()

    # The log

    def test_an_event_comes_back_as_it_was_written(self, store: VersionStore, name: str) -> None:
        register(store, name)
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
        register(store, name)
        registry.refuse(store, name, 1, who="ana", why="x" * 10_000)
        (event,) = registry.history(store, name)
        assert event.why.endswith("x…")

    def test_the_history_is_no_model_of_ours(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        assert name in store.names()
        assert f"{name}.history" not in store.names()

    # Names of versions

    def test_every_way_to_name_a_version_leads_to_it(self, store: VersionStore, name: str) -> None:
        register(store, name, 3)
        promote(store, name, 1, 2, stages=True)
        for place, number in {"@champion": 2, "@previous": 1, "/3": 3, "/latest": 3, "/Production": 2}.items():
            assert registry.resolve(store, f"models:/{name}{place}") == store.get(name, number)
        assert registry.resolve(store, f"models:/{name}/production").number == 2

    def test_a_uri_that_leads_nowhere_says_what_there_is(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
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
