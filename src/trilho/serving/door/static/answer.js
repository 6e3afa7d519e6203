// The answer: the label in words, its probabilities as bars, and what was true after all.

import { by, charge, locale, made, percent, say } from "./given.js";
import { sendJson } from "./sending.js";

const MOST_BARS = 8;
let shown = null; // the prediction that is on the page

export const worded = (one) => one.label ?? number(one.prediction);

export function number(value) {
  return typeof value === "number" ? new Intl.NumberFormat(locale, { maximumSignificantDigits: 6 }).format(value) : String(value);
}

export function showAnswer(one, { version, ms, outside }) {
  shown = one;
  by("ask-first").hidden = true;
  by("problem").hidden = true;
  by("found").hidden = false;
  by("label").textContent = worded(one);
  by("outside").hidden = outside === 0;
  by("outside").textContent = say(outside === 1 ? "outside_one" : "outside_many", { n: outside });
  by("bars").replaceChildren(...bars(one));
  by("bars").hidden = !one.probabilities;
  by("by").textContent = say("answered_by", { version, ms });
  by("id").textContent = one.id;
  const share = one.probabilities?.[one.label];
  by("brief").replaceChildren(made("strong", "", worded(one)), share === undefined ? "" : ` ${percent(share)}`);
  resetFeedback();
}

export function showProblem(message) {
  by("ask-first").hidden = true;
  by("found").hidden = true;
  by("problem").hidden = false;
  by("problem").textContent = message;
  by("brief").replaceChildren();
}

export function setUpFeedback() {
  by("was-right").addEventListener("click", () => note(shown.prediction));
  by("was-wrong").addEventListener("click", () => {
    const labels = charge.facts.labels;
    if (labels.length === 2) return note(labels.find((label) => label.value !== shown.prediction).value);
    by("truth").hidden = false;
    by("was-wrong").setAttribute("aria-expanded", "true");
    by("true-label").focus();
    return undefined;
  });
  by("send-truth").addEventListener("click", () => {
    const labels = charge.facts.labels;
    const value = labels.length ? labels[Number(by("true-label").value)].value : Number(by("true-label").value.trim().replace(",", "."));
    if (labels.length || (by("true-label").value.trim() !== "" && Number.isFinite(value))) note(value);
    else by("true-label").focus();
  });
  by("true-label").addEventListener("keydown", (event) => {
    if (event.key === "Enter") by("send-truth").click();
  });
  by("id").addEventListener("click", () => navigator.clipboard?.writeText(by("id").textContent));
}

// ----------------------------------------------------------------------------------------------------------------------

function bars(one) {
  const sorted = Object.entries(one.probabilities ?? {}).sort(([, left], [, right]) => right - left);
  const found = sorted.slice(0, MOST_BARS).map(([name, share]) => {
    const line = made("li", name === one.label ? "first" : "");
    const fill = made("i");
    fill.style.setProperty("--share", String(share));
    const bar = made("span", "bar");
    bar.append(fill);
    line.append(made("span", "name", name), made("span", "share", percent(share)), bar);
    return line;
  });
  if (sorted.length > MOST_BARS) found.push(made("li", "quiet small", say("more_labels", { n: sorted.length - MOST_BARS })));
  return found;
}

async function note(label) {
  const id = shown.id;
  const answer = await sendJson("feedback", { id, label }).catch(() => ({ ok: false }));
  if (shown.id !== id) return; // another row was asked meanwhile
  by("feedback").classList.toggle("done", answer.ok);
  by("noted").textContent = answer.ok ? say("thanks") : `${say("feedback_failed")} ${answer.body?.message ?? ""}`;
  if (answer.ok) by("truth").hidden = true;
}

function resetFeedback() {
  by("feedback").classList.remove("done");
  by("truth").hidden = true;
  by("was-wrong").setAttribute("aria-expanded", "false");
  by("noted").textContent = "";
}
