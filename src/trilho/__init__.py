"""trilho: continuous delivery for machine learning on top of MLflow."""

__version__ = "0.1.0"
