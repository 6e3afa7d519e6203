// Which version is in charge: in the header and the footer, and changed under the open page when the champion changes.

import { by, charge, locale, made, named, say, tell } from "./given.js";

const EVERY = 2000; // milliseconds

export function showChampion() {
  const facts = charge.facts;
  document.title = facts.model;
  by("model").textContent = facts.model;
  by("version").textContent = named(facts.version);
  const rows = facts.rows?.train;
  const said = [
    promotion(facts) || say("in_service", { when: day(facts.since) }),
    rows ? say("trained_on", { n: rows.toLocaleString(locale) }) : "",
  ];
  by("facts").replaceChildren(made("strong", "", `${facts.model} ${named(facts.version)}`), ...said.filter(Boolean).map((text) => made("span", "", text)));
  const metrics = Object.entries(facts.metrics).filter(([, value]) => typeof value === "number");
  by("metrics").replaceChildren(...metrics.map(([name, value]) => {
    const item = made("li");
    item.append(made("span", "quiet", name.replaceAll("_", " ")), " ", made("strong", "", value.toLocaleString(locale, { maximumSignificantDigits: 4 })));
    return item;
  }));
  by("metrics").parentElement.hidden = metrics.length === 0;
}

// Ask every 2 s while somebody looks; `startAgain` is called when the new version takes other columns.
export function follow(startAgain) {
  const look = async () => {
    if (!document.hidden) await once(startAgain).then(() => alive(true), () => alive(false));
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) once(startAgain).then(() => alive(true), () => alive(false)); });
}

// ----------------------------------------------------------------------------------------------------------------------

async function once(startAgain) {
  const health = await (await fetch("health", { cache: "no-store" })).json();
  const before = charge.facts;
  const same = health.model === before.model && health.version === before.version;
  // Who promoted it is known a moment after it is in charge.
  const told = before.promoted_at === null && health.server?.promotion && health.server.version === before.version;
  if (health.version === undefined || (same && !told)) return;
  const response = await fetch("model", { cache: "no-store" });
  if (!response.ok) return;
  const facts = await response.json();
  if (facts.form !== before.form) {
    startAgain();
    return;
  }
  charge.facts = facts;
  showChampion();
  if (facts.version !== before.version || facts.model !== before.model) tell(say("changed", { version: facts.version }));
}

function alive(answers) {
  const word = say(answers ? "reachable" : "unreachable");
  by("dot").classList.toggle("gone", !answers);
  by("dot").title = word;
  by("dot").setAttribute("aria-label", word);
}

function promotion({ promoted_at: at, promoted_by: who }) {
  if (!at) return "";
  return say(who ? "promoted_by" : "promoted", { when: day(at), who });
}

const day = (seconds) => new Date(seconds * 1000).toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
