"""Who is champion, which version a URI names, and what happened so far."""

from __future__ import annotations

import re
import time

from trilho.errors import ServerRefused
from trilho.registry import missing
from trilho.registry.ledger import read
from trilho.registry.settling import Clock, as_it_stands, settle
from trilho.registry.store import VersionStore
from trilho.registry.version import Event, Version
from trilho.wire import FORBIDDEN

STAGES = ("Production", "Staging", "Archived", "None")

_URI = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<place>[^/@]+))")


def champion(store: VersionStore, name: str, *, clock: Clock = time.time) -> Version | None:
    """The champion by the history; None where there is none, or no such model.

    Finishes what a killed promotion began, and takes over an alias that was moved by hand, so it can write; who may
    not, only looks. To only look, as a server does every few seconds, ask `store.by_alias(name, "champion")`.
    """
    try:
        number = settle(store, name, clock=clock).champion
    except ServerRefused as error:
        if error.status != FORBIDDEN:
            raise
        number = as_it_stands(store, name)
    return None if number is None else store.get(name, number)


def history(store: VersionStore, name: str) -> tuple[Event, ...]:
    """Every event, oldest first, each with its `valid`. () where nothing happened yet. Only looks."""
    return read(store.events(name)).history


def standing_refusal(store: VersionStore, name: str, number: int) -> Event | None:
    """The refusal of a version, if nothing happened to it since; None where it was promoted after that, or never
    refused. Only looks."""
    about = [event for event in history(store, name) if event.after == number and event.valid]
    return about[-1] if about and about[-1].kind == "refused" else None


def resolve(store: VersionStore, uri: str) -> Version:
    """The version that a URI names: models:/NAME@alias, models:/NAME/3, models:/NAME/latest, models:/NAME/Production.

    A stage names the newest version that has it. Only looks.

    Raises:
        VersionNotFound: with near names, and what there is.
    """
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise missing.no_such_uri(uri)
    name, alias, place = parts["name"], parts["alias"], parts["place"]
    if alias is not None:
        found = store.by_alias(name, alias)
        if found is None:
            known = {each for version in store.versions(name) for each in version.aliases}
            raise missing.no_such_alias(name, alias, known)
        return store.get(name, found.number)
    if place.isdecimal():
        return store.get(name, int(place))
    versions = store.versions(name)
    if place.lower() == "latest" and versions:
        return store.get(name, versions[0].number)
    stage = next((known for known in STAGES if known.lower() == place.lower()), "")
    if not stage:
        raise missing.no_such_uri(uri)
    for version in versions:
        if version.stage == stage:
            return store.get(name, version.number)
    raise missing.no_such_stage(name, stage)
