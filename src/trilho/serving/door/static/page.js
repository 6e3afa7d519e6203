// The page: which button does what.

import { setUpFeedback, showAnswer, showProblem } from "./answer.js";
import { follow, showChampion } from "./champion.js";
import { setUpCode, showCode } from "./code.js";
import { by, charge, memory, say, tell } from "./given.js";
import { remember, setUpHistory } from "./history.js";
import { focus, mark, readRow, rounded, valueAt, write } from "./inputs.js";
import { fill, fillRandom, fillTypical, pastedRow } from "./rows.js";
import { predict } from "./sending.js";

const placeOf = (element) => Number(element.closest(".field").dataset.place);
const dialogs = { paste: by("paste-dialog"), key: by("key-dialog") };

async function ask(event) {
  event.preventDefault();
  const { row, files, wrong, outside } = readRow();
  if (wrong.length) return focus(wrong[0]);
  const button = by("predict");
  if (button.disabled) return undefined;
  button.disabled = true;
  button.textContent = say("predicting");
  try {
    const answer = await predict(row, files);
    if (answer.ok) {
      const [one] = answer.body.predictions;
      showAnswer(one, { version: answer.body.version, ms: answer.ms, outside: outside.length });
      remember({ at: Date.now(), row, one, version: answer.body.version });
    } else {
      refused(answer);
    }
  } catch {
    showProblem(say("unreachable"));
  } finally {
    button.disabled = false;
    button.textContent = say("predict");
  }
  const top = by("answer").getBoundingClientRect().top;
  if (top > innerHeight || top < 0) by("answer").scrollIntoView({ block: "start" });
  return undefined;
}

function refused({ status, body }) {
  const remedy = body?.details?.remedy;
  showProblem([body?.message ?? say("failed", { status }), remedy].filter(Boolean).join(" "));
  const place = charge.facts.columns.findIndex((column) => column.name === body?.details?.column);
  if (place >= 0) {
    mark(place, body.message);
    focus(place);
  }
}

function changed(event) {
  const box = event.target.closest?.(".field");
  if (box && event.target.classList.contains("slide")) {
    const place = placeOf(event.target);
    const column = charge.facts.columns[place];
    write(place, rounded(valueAt(event.target.value / 1000, column.quantiles), column));
  } else if (box) {
    mark(placeOf(event.target));
    if (event.target.type === "file") preview(event.target);
  }
  showCode();
}

function preview(input) {
  const image = input.parentElement.querySelector("img");
  const file = input.files[0];
  if (image.src) URL.revokeObjectURL(image.src);
  image.hidden = true;
  input.parentElement.querySelector("strong").textContent = file?.name ?? say("choose");
  if (!file) return;
  image.onload = () => { image.hidden = false; };
  image.onerror = () => { image.hidden = true; }; // a kind of image that the browser does not know
  image.src = URL.createObjectURL(file);
}

// Arrow keys move a number by a hundredth of its training range.
function step(event) {
  if (event.target.inputMode !== "decimal" || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  const column = charge.facts.columns[placeOf(event.target)];
  const value = Number(event.target.value);
  if (column.maximum === null || event.target.value.trim() === "" || !Number.isFinite(value)) return;
  event.preventDefault();
  const span = (column.maximum - column.minimum) / 100 || 1;
  const move = (column.integer ? Math.max(1, Math.round(span)) : span) * (event.key === "ArrowUp" ? 1 : -1);
  write(placeOf(event.target), rounded(value + move, column));
  showCode();
}

function filter() {
  const wanted = by("filter").value.trim().toLowerCase();
  let found = 0;
  for (const group of document.querySelectorAll(".group")) {
    let inside = 0;
    for (const box of group.querySelectorAll(".field")) {
      const fits = charge.facts.columns[box.dataset.place].name.toLowerCase().includes(wanted);
      box.hidden = !fits;
      inside += fits;
    }
    group.hidden = inside === 0;
    if (wanted) group.open = true;
    found += inside;
  }
  by("nothing").hidden = found > 0;
}

function takePasted(event) {
  event.preventDefault();
  try {
    const filled = fill(pastedRow(by("pasted").value));
    dialogs.paste.close();
    tell(say("pasted", { n: filled, of: charge.facts.columns.length }));
    showCode();
  } catch (error) {
    by("paste-problem").textContent = error.message;
    by("paste-problem").hidden = false;
  }
}

// Another version takes other columns: the page is made anew, what was typed stays where names are the same.
function startAgain() {
  memory.set("trilho-typed", JSON.stringify(readRow().row));
  location.reload();
}

function fillTyped() {
  const typed = memory.get("trilho-typed");
  if (typed === null) return;
  memory.set("trilho-typed", null);
  fill(JSON.parse(typed));
  tell(say("changed_form", { version: charge.facts.version }));
}

function setUpForm() {
  by("form").addEventListener("submit", ask);
  by("form").addEventListener("input", changed);
  by("form").addEventListener("keydown", step);
  by("random").addEventListener("click", () => { fillRandom(); showCode(); });
  by("typical").addEventListener("click", () => { fillTypical(); showCode(); });
  by("paste").addEventListener("click", () => {
    by("paste-problem").hidden = true;
    by("pasted").value = "";
    dialogs.paste.showModal();
  });
  by("filter")?.addEventListener("input", (event) => { event.stopPropagation(); filter(); });
  by("filter")?.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  // Browsers keep typed values over a reload: the marks must say what is there. Nothing is "missing" before somebody asked.
  charge.facts.columns.forEach((column, place) => { if (column.typical !== null) mark(place); });
}

setUpForm();
dialogs.paste.querySelector("form").addEventListener("submit", takePasted);
dialogs.key.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); dialogs.key.close("use"); });
for (const dialog of Object.values(dialogs)) dialog.querySelector(".cancel").addEventListener("click", () => dialog.close(""));
setUpFeedback();
setUpHistory();
showChampion();
fillTyped();
setUpCode();
follow(startAgain);
document.documentElement.dataset.ready = ""; // for whoever waits for the page
