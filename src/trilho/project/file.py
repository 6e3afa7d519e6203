"""What trilho.yaml says, as frozen values. Made by `project.load`, never by hand outside tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trilho.settings import Origin

Task = Literal["classification", "regression", "image-classification"]
Promote = Literal["if_better", "if_not_worse", "always", "never"]
Options = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DataSection:
    source: str  # "sklearn:iris", "path/*.parquet", "sqlite:///shop.db#table", "module:function"
    options: Options = field(default_factory=dict)  # handed to the reader: separator, encoding, query, columns
    kinds: Mapping[str, str] = field(default_factory=dict)  # column → kind, where the inferred one is wrong
    drop: tuple[str, ...] = ()  # columns that are neither feature nor target
    checks: Options = field(default_factory=dict)  # column → pandera checks


@dataclass(frozen=True, kw_only=True)
class SplitSection:
    method: Literal["hash", "stratified", "time"] = "hash"
    test_size: float = 0.2
    random_state: int = 42
    group_by: str | None = None
    time_column: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransformSection:
    using: str = "default"  # a built-in name, or "module:name" of a transformer, a factory of one, or a function
    params: Options = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrainSection:
    estimator: str  # "sklearn.ensemble.RandomForestClassifier" or "module:function"
    params: Options = field(default_factory=dict)
    random_state: int = 42  # given to the estimator where it takes one and params name none
    sample_weight: str | None = None  # a column that weighs rows and is no feature
    trusted_types: tuple[str, ...] = ()  # types outside scikit-learn that may be built when the model is loaded


@dataclass(frozen=True, kw_only=True)
class ChampionRule:
    metric: str  # compared on rows that neither model trained on
    margin: float = 0.01  # how much worse still counts as not worse, in the metric's unit
    min_improvement: float = 0.0  # how much better if_better asks for
    confidence: float = 0.95  # of the one-sided bound
    min_rows: int = 50  # fewer comparable rows give no verdict


@dataclass(frozen=True, kw_only=True)
class EvaluateSection:
    metrics: tuple[str, ...]
    champion: ChampionRule
    thresholds: Mapping[str, float] = field(
        default_factory=dict
    )  # metric → least value (most, for errors such as rmse)
    max_latency: float | None = None  # seconds for one prediction, 99th percentile


@dataclass(frozen=True, kw_only=True)
class RegisterSection:
    name: str
    promote: Promote = "if_not_worse"
    stages: bool = False  # mirror @champion as stage Production, for models:/NAME/Production


@dataclass(frozen=True, kw_only=True)
class ServeSection:
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1  # processes that answer
    connections: int = 1000  # open at once, for each worker
    concurrency: int = 512  # predictions at once, for each worker
    max_body: int = 67_108_864  # bytes
    max_rows: int = 100_000
    body_seconds: float = 30.0  # a body must have come within
    cors: tuple[str, ...] = ()  # origins whose pages may ask
    reload_every: float = 2.0  # seconds
    journal: float = 1.0  # share of answers written to the journal
    trust_code: bool = False  # may serving run code that travels with the version?


@dataclass(frozen=True, kw_only=True)
class JournalSection:
    columns: tuple[str, ...] = ()  # features to keep, or with a "-" before each to leave out; empty: all are kept
    keep: float = 7_776_000.0  # seconds
    max_bytes: int = 2_000_000_000  # on disk


@dataclass(frozen=True, kw_only=True)
class DriftRule:
    share: float = 0.3  # share of columns that must have moved
    min_rows: int = 200  # fewer predictions give no verdict
    alpha: float = 0.01  # false discovery rate over all columns
    wasserstein: float = 0.1  # standard deviations of the training rows
    population_stability: float = 0.2
    jensen_shannon: float = 0.1
    missing_share: float = 0.05  # these three: differences of shares
    out_of_range: float = 0.02
    new_categories: float = 0.02


@dataclass(frozen=True, kw_only=True)
class MonitorSection:
    window: float = 86_400.0  # seconds
    every: float = 3600.0  # seconds between looks of the watcher that `trilho up` starts
    whole_rows: bool = False  # compare whole rows, too, by a classifier
    shadow: bool = False  # compare the answers of @challenger, too
    drift: DriftRule = DriftRule()


@dataclass(frozen=True, kw_only=True)
class RetrainSection:
    on: tuple[str, ...] = ()  # drift, schedule, performance
    min_new_labels: int = 200  # since the last retraining; fewer start none, but a schedule does
    every: float = 604_800.0  # seconds, for schedule
    cooldown: float = 86_400.0  # seconds
    data: Literal["original", "original+labelled"] = "original+labelled"
    takeover: float = 900.0  # seconds without a sign of life after which somebody else goes on


@dataclass(frozen=True, kw_only=True)
class GuardSection:
    lasts: float = 600.0  # seconds after a promotion; 0: no guard
    errors: float = 0.05  # share of requests that the model itself fails at
    slower: float = 2.0  # times as long as with the version before
    min_requests: int = 50  # fewer say nothing


@dataclass(frozen=True, kw_only=True)
class ProjectFile:
    """One project as the user wrote it, after profile, environment and flags."""

    root: Path  # the folder that holds trilho.yaml
    name: str
    task: Task
    target: str
    positive_class: Any = None  # the label whose precision, recall, f1 count; None for multi-class and regression
    primary_metric: str
    profile: str
    tracking_uri: str | None  # None: the local platform
    experiment: str
    data: DataSection
    split: SplitSection
    transform: TransformSection
    train: TrainSection
    evaluate: EvaluateSection
    register: RegisterSection
    serve: ServeSection
    monitor: MonitorSection
    journal: JournalSection = JournalSection()
    retrain: RetrainSection = RetrainSection()
    guard: GuardSection = GuardSection()
    steps: Mapping[str, str] = field(default_factory=dict)  # step → "module:function" in its place
    model_dir: Path = Path("artifacts/model")  # under root; gets model.joblib, mlflow_model/, metadata.json, bundle
    labelled: Path | None = None  # rows of the journal to learn from as well; set by a retraining, never in the file
    origins: Mapping[str, Origin] = field(default_factory=dict)  # setting, and "profile" → where its value came from

    @property
    def file(self) -> Path:
        return self.root / "trilho.yaml"

    @property
    def state_dir(self) -> Path:
        """Everything trilho keeps for this project: cache, spool, local server, journal. Never committed."""
        return self.root / ".trilho"
