"""MLflow's registry keeps the contract of a VersionStore, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from trilho import registry, wire
from trilho.errors import ServerRefused
from trilho.registry import MlflowVersionStore, mlflow_store
from unit.registry.claim_contract import ClaimContract
from unit.registry.promotion_contract import PromotionContract
from unit.registry.registering import promote, register
from unit.registry.store_contract import VersionStoreContract


class TestMlflowVersionStore(VersionStoreContract, PromotionContract, ClaimContract):
    @pytest.fixture
    def client(self, mlflow_server: str) -> Iterator[wire.Client]:
        with wire.connect(mlflow_server) as client:
            yield client

    @pytest.fixture
    def store(self, client: wire.Client) -> MlflowVersionStore:
        self.client = client
        return MlflowVersionStore(client)

    def delete_version(self, store: MlflowVersionStore, name: str, number: int) -> None:
        self.client.delete("model-versions/delete", {"name": name, "version": str(number)})

    def delete_model(self, store: MlflowVersionStore, name: str) -> None:
        self.client.delete("registered-models/delete", {"name": name})

    def test_long_histories_and_lists_are_read_to_the_end(
        self, store: MlflowVersionStore, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mlflow_store, "_PAGE", 3)
        register(store, name, 8)
        promote(store, name, *range(1, 9))
        assert [event.after for event in registry.history(store, name)] == list(range(1, 9))
        assert [version.number for version in store.versions(name)] == list(range(8, 0, -1))
        assert name in store.names()

    def test_an_event_is_readable_in_mlflow_and_leads_to_its_version(
        self, store: MlflowVersionStore, client: wire.Client, name: str
    ) -> None:
        register(store, name, 1)
        promote(store, name, 1)
        model = client.get("registered-models/get", {"name": f"{name}.history"})["registered_model"]
        assert name in model["description"]
        assert "trilho history" in model["description"]
        event = client.get("model-versions/get", {"name": f"{name}.history", "version": "1"})["model_version"]
        assert event["description"] == f"{name} champion none → v1, promoted by ana: better"
        assert event["source"] == f"models:/{name}/1"

    def test_an_event_whose_answer_was_lost_is_written_once(
        self, store: MlflowVersionStore, client: wire.Client, name: str
    ) -> None:
        register(store, name)

        class LosesAnAnswer:
            lost = 0

            def __getattr__(self, method: str) -> Any:
                return getattr(client, method)

            def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
                answer = client.post(path, body)
                if path == "model-versions/create" and not self.lost:
                    self.lost += 1
                    raise ServerRefused("Bad gateway.", remedy="Wait.", status=502)
                return answer

        losing = LosesAnAnswer()
        event = registry.promote(MlflowVersionStore(losing), name, 1, before=None, who="ana", why="")  # type: ignore[arg-type]
        assert losing.lost == 1
        assert registry.history(store, name) == (event,)
