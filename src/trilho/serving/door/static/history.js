// What was asked in this tab, newest first; a click fills the inputs with that row.

import { by, locale, made, memory, named, percent, say } from "./given.js";
import { worded } from "./answer.js";
import { fill } from "./rows.js";

const NAME = "trilho-asked";
const MOST = 30;

export function remember(entry) {
  memory.set(NAME, JSON.stringify([entry, ...asked()].slice(0, MOST)));
  show();
}

export function setUpHistory() {
  by("clear").addEventListener("click", () => {
    memory.set(NAME, null);
    show();
  });
  show();
}

// ----------------------------------------------------------------------------------------------------------------------

function asked() {
  try { return JSON.parse(memory.get(NAME) ?? "[]"); } catch { return []; }
}

function show() {
  const entries = asked();
  by("no-history").hidden = entries.length > 0;
  by("clear").hidden = entries.length === 0;
  by("history").replaceChildren(...entries.map(line));
}

function line({ at, row, one, version }) {
  const button = made("button", "past");
  button.type = "button";
  button.title = say("back");
  const share = one.probabilities?.[one.label];
  const time = new Date(at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  button.append(
    made("span", "what", worded(one)),
    made("span", "share", share === undefined ? "" : percent(share)),
    made("span", "quiet", named(version)),
    made("time", "quiet", time),
  );
  button.addEventListener("click", () => {
    fill(row);
    by("form").dispatchEvent(new Event("input")); // the code below shows the same row
  });
  const item = made("li");
  item.append(button);
  return item;
}
