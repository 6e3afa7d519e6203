"""The settings of using a model: serving, monitoring, retraining, and the guard after a promotion."""

from __future__ import annotations

from trilho.settings.setting import Setting

PRODUCTION: tuple[Setting, ...] = (
    Setting("serve.host", "text", "The address that the model server listens on.", default="127.0.0.1"),
    Setting(
        "serve.port", "integer", "The port that the model server listens on.", default=8000, at_least=1, at_most=65535
    ),
    Setting("serve.workers", "integer", "Processes that answer.", default=1, at_least=1, at_most=256),
    Setting(
        "serve.connections",
        "integer",
        "Connections open at once, for each worker; who comes on top is answered 503.",
        default=1000,
        at_least=1,
    ),
    Setting(
        "serve.concurrency",
        "integer",
        "Predictions at once, for each worker; beyond that 429.",
        default=512,
        at_least=1,
    ),
    Setting(
        "serve.max_body", "integer", "Larger bodies are refused with 413.", default=67_108_864, at_least=1, unit="bytes"
    ),
    Setting("serve.max_rows", "integer", "Requests of more rows are refused with 413.", default=100_000, at_least=1),
    Setting(
        "serve.body_seconds",
        "duration",
        "A body must have come within; a slower one is refused with 408.",
        default="30s",
        unit="seconds",
        above=0,
    ),
    Setting("serve.cors", "list", "Origins whose pages may ask, such as https://app.example; none by default."),
    Setting(
        "serve.reload_every",
        "duration",
        "How often the server asks for a new champion.",
        default="2s",
        unit="seconds",
        above=0,
    ),
    Setting(
        "serve.journal", "share", "Share of the answers written to the journal.", default=1.0, at_least=0, at_most=1
    ),
    Setting("serve.trust_code", "boolean", "May serving run code that travels with a version?", default=False),
    Setting(
        "journal.columns",
        "list",
        'Features that the journal keeps, or with a "-" before each those it leaves out; * stands for any letters.',
    ),
    Setting("journal.keep", "duration", "How long answers are kept.", default="90d", unit="seconds", above=0),
    Setting(
        "journal.max_bytes",
        "integer",
        "Size of the journal on disk, beyond which the oldest answers are deleted.",
        default=2_000_000_000,
        at_least=10_000_000,
        unit="bytes",
    ),
    Setting("monitor.window", "duration", "How far back monitoring looks.", default="24h", unit="seconds", above=0),
    Setting(
        "monitor.every",
        "duration",
        "How often the watcher that trilho up starts looks.",
        default="1h",
        unit="seconds",
        at_least=1,
    ),
    Setting(
        "monitor.whole_rows",
        "boolean",
        "Ask a classifier, too, whether rows as a whole have moved since the version's first ones; costs seconds.",
        default=False,
    ),
    Setting(
        "monitor.shadow",
        "boolean",
        "Ask @challenger, too, for some of the rows that the champion answered, and say where the two differ.",
        default=False,
    ),
    Setting("monitor.drift.share", "share", "Share of columns that must have moved.", default=0.3, above=0, at_most=1),
    Setting(
        "monitor.drift.min_rows", "integer", "Fewer predictions give no verdict.", default=200, at_least=2, unit="rows"
    ),
    Setting(
        "monitor.drift.alpha",
        "number",
        "The false discovery rate: of the columns said to move, the share that chance alone may have moved.",
        default=0.01,
        above=0,
        below=1,
    ),
    Setting(
        "monitor.drift.wasserstein",
        "number",
        "Standard deviations by which numbers must have moved on average for their column to move.",
        default=0.1,
        at_least=0,
    ),
    Setting(
        "monitor.drift.population_stability",
        "number",
        "The stability index beyond which numbers have moved, however short their way.",
        default=0.2,
        at_least=0,
    ),
    Setting(
        "monitor.drift.jensen_shannon",
        "number",
        "The Jensen-Shannon distance, 0 to 1, beyond which a column of categories has moved.",
        default=0.1,
        at_least=0,
        at_most=1,
    ),
    Setting(
        "monitor.drift.missing_share",
        "share",
        "By how much the share of missing values must have changed.",
        default=0.05,
        at_least=0,
        at_most=1,
    ),
    Setting(
        "monitor.drift.out_of_range",
        "share",
        "Share of numbers outside the training range beyond which a column has moved.",
        default=0.02,
        at_least=0,
        at_most=1,
    ),
    Setting(
        "monitor.drift.new_categories",
        "share",
        "Share of rows with a category new since training beyond which a column has moved.",
        default=0.02,
        at_least=0,
        at_most=1,
    ),
    Setting(
        "retrain.on",
        "list",
        "What starts a retraining.",
        choices=("drift", "schedule", "performance"),
    ),
    Setting(
        "retrain.min_new_labels",
        "integer",
        "Labels that came since the last retraining; with fewer, drift and performance start none.",
        default=200,
        at_least=0,
        unit="rows",
    ),
    Setting("retrain.every", "duration", "How often schedule starts one.", default="7d", unit="seconds", above=0),
    Setting(
        "retrain.cooldown", "duration", "Least time between retrainings.", default="24h", unit="seconds", at_least=0
    ),
    Setting(
        "retrain.data",
        "choice",
        "What is learned from: data.source alone, or also the answers in the journal whose truth is known.",
        default="original+labelled",
        choices=("original", "original+labelled"),
    ),
    Setting(
        "retrain.takeover",
        "duration",
        "How long nothing must have been heard of a retraining until somebody else goes on with it.",
        default="15m",
        unit="seconds",
        at_least=1,
    ),
    Setting(
        "guard.lasts",
        "duration",
        "How long the watcher guards a version after its promotion; 0s: not at all.",
        default="10m",
        unit="seconds",
        at_least=0,
    ),
    Setting(
        "guard.errors",
        "share",
        "Share of requests that the model itself fails at, above which the promotion is rolled back.",
        default=0.05,
        at_least=0,
        at_most=1,
    ),
    Setting(
        "guard.slower",
        "number",
        "How many times as long as with the version before a request may take.",
        default=2.0,
        at_least=1,
    ),
    Setting("guard.min_requests", "integer", "Fewer requests to a version say nothing of it.", default=50, at_least=1),
)
