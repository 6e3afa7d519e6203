"""MLflow's own client for its scoring server asks ours, and notices no difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from model_server import running
from shipped import KINDS, Shipped


# MLflow warns about its own type hints when its client is imported.
@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_mlflows_client_gets_the_models_answers(make: Callable[[Path], Shipped], tmp_path: Path) -> None:
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    shipped = make(tmp_path)
    rows = shipped.frame[:50]
    with running(shipped) as server:
        client = ScoringServerClient(*server.address.removeprefix("http://").split(":"))
        client.wait_server_ready()
        assert client.get_version() == mlflow.__version__
        found = client.invoke(rows).get_predictions()
        assert found[0].tolist() == shipped.answers(rows).labels.tolist()
        with pytest.raises(Exception, match=r"error code 400.*missing inputs") as caught:
            client.invoke(rows.drop(columns=rows.columns[0]))
        assert str(rows.columns[0]) in str(caught.value)
