"""The door for people and typed clients: a FastAPI application beside the raw routes, made from a model's schema.

routes        the routes, and what goes wrong on them
fields        a column → the type of its values, with its range in words
rows          a body of JSON → columns, by a pydantic type made from the schema
form          a multipart body → columns: how an image comes in      images      is it one?
answers       predictions → JSON, with label names and prediction ids
openapi       /openapi.json: the door's routes and the raw ones
facts         what the page and GET /model say about the model in charge
groups        columns → groups that a person can look through
page          the page at / in the reader's language
words         the page's texts

FastAPI, pydantic and Jinja2 are loaded when `application` is first asked for, not before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.serving.door.routes import application

__all__ = ["application"]


def __getattr__(name: str) -> Any:
    if name == "application":
        return import_module("trilho.serving.door.routes").application
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
