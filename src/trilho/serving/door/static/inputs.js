// The inputs: reading and writing a value, and marking what lies outside the training range.

import { by, charge, say } from "./given.js";

const field = (place) => document.querySelector(`.field[data-place="${place}"]`);
const control = (place) => by(`c${place}`);

// A column's value as JSON has it (a File for an image), and what is wrong with it.
export function read(place) {
  const column = charge.facts.columns[place];
  if (column.kind === "image") {
    const file = control(place).files[0] ?? null;
    return { value: file, problem: file || column.nullable ? "" : say("needed") };
  }
  if (column.kind === "boolean") {
    const checked = field(place).querySelector("input:checked");
    const value = { true: true, false: false }[checked?.value] ?? null;
    return { value, problem: value !== null || column.nullable ? "" : say("needed") };
  }
  const text = control(place).value;
  const asText = (column.kind === "category" && !column.numeric) || column.kind === "text";
  if (asText ? text === "" && !meansEmptyText(column, place) : text.trim() === "") {
    return { value: null, problem: column.nullable ? "" : say("needed") };
  }
  if (asText) return { value: text, problem: "" };
  if (column.kind === "time") return { value: text, problem: control(place).validity.badInput ? say("not_time") : "" };
  const number = parsed(text);
  return Number.isFinite(number) ? { value: number, problem: "" } : { value: text, problem: say("not_number") };
}

export function write(place, value) {
  const column = charge.facts.columns[place];
  if (column.kind === "image") return;
  const empty = value === null || value === undefined;
  if (column.kind === "boolean") {
    const wanted = empty ? "" : String(value);
    for (const choice of field(place).querySelectorAll("input")) choice.checked = choice.value === wanted;
  } else if (control(place).tagName === "SELECT") {
    const options = [...control(place).options];
    const same = (option) => option.value === String(value) || (column.numeric && Number(option.value) === Number(value));
    const found = empty ? options.find((option) => "missing" in option.dataset) : options.find((option) => !("missing" in option.dataset) && same(option));
    control(place).selectedIndex = found ? found.index : -1;
  } else if (column.kind === "time") {
    control(place).value = empty ? "" : clock(value).slice(0, control(place).type === "date" ? 10 : 19);
  } else {
    control(place).value = empty ? "" : String(value);
  }
  mark(place);
}

// The row as JSON has it, without images; and the places of what is missing or wrong, and of what lies outside.
export function readRow() {
  // Without a prototype, because a column may be called __proto__.
  const row = Object.create(null), files = Object.create(null), wrong = [], outside = [];
  charge.facts.columns.forEach((column, place) => {
    const { value, problem } = mark(place);
    if (problem) wrong.push(place);
    else if (field(place).classList.contains("is-outside")) outside.push(place);
    if (value instanceof File) files[column.name] = value;
    else row[column.name] = value;
  });
  return { row, files, wrong, outside };
}

export function mark(place, told = "") {
  const column = charge.facts.columns[place];
  const found = read(place);
  const problem = told || found.problem;
  const outside = problem ? "" : strange(column, found.value);
  const box = field(place);
  box.classList.toggle("is-wrong", Boolean(problem));
  box.classList.toggle("is-outside", Boolean(outside));
  box.classList.toggle("is-empty", found.value === null);
  by(`c${place}-mark`).textContent = problem || outside;
  for (const input of box.querySelectorAll("input:not(.slide), select, textarea")) {
    input.setAttribute("aria-invalid", String(Boolean(problem)));
  }
  const slide = box.querySelector(".slide");
  if (slide && typeof found.value === "number") slide.value = Math.round(1000 * shareOf(found.value, column.quantiles));
  return found;
}

export function focus(place) {
  const box = field(place);
  const group = box.closest("details");
  group.open = true;
  group.hidden = box.hidden = false; // a filter may have hidden both
  (box.querySelector("input:checked") ?? box.querySelector("input, select, textarea")).focus();
}

// A number as precise as the training range deserves.
export function rounded(value, column) {
  if (column.integer || column.kind === "category") return Math.round(value);
  const span = column.maximum - column.minimum || Math.abs(value) || 1;
  return Number(value.toFixed(Math.min(12, Math.max(0, 4 - Math.floor(Math.log10(span))))));
}

// The value below which a share of the training rows lies, between the quantiles that are known.
export function valueAt(share, quantiles) {
  const at = Math.min(Math.max(share, 0), 1) * (quantiles.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, quantiles.length - 1);
  return quantiles[low] + (at - low) * (quantiles[high] - quantiles[low]);
}

export function clock(value) {
  const moment = typeof value === "number" ? new Date(value * 1000) : new Date(/[zZ]|[+-]\d\d:?\d\d$/.test(value) || !/T/.test(value) ? value : `${value}Z`);
  return Number.isNaN(moment.getTime()) ? "" : moment.toISOString().slice(0, 19);
}

// ----------------------------------------------------------------------------------------------------------------------

function shareOf(value, quantiles) {
  const last = quantiles.length - 1;
  if (value <= quantiles[0]) return 0;
  if (value >= quantiles[last]) return 1;
  const first = quantiles.findIndex((edge) => edge >= value);
  if (quantiles[first] === value) {
    // Many rows share this value: the middle of them.
    return (first + quantiles.lastIndexOf(value)) / 2 / last;
  }
  return (first - 1 + (value - quantiles[first - 1]) / (quantiles[first] - quantiles[first - 1])) / last;
}

// A comma is a decimal point where it is the only one: 1,5.
function parsed(text) {
  const plain = text.trim().replace(/^([^.,]*),([^.,]*)$/, "$1.$2");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

function strange(column, value) {
  if (value === null) return "";
  const known = column.kind === "time" ? Date.parse(value.includes("T") ? `${value}Z` : value) / 1000 : value;
  if (column.minimum !== null && known < column.minimum) return say("outside_low");
  if (column.maximum !== null && known > column.maximum) return say("outside_high");
  if (column.kind !== "category" || !column.values.length || column.values.length >= 200) return "";
  const same = (one) => one === String(value) || (column.numeric && Number(one) === value);
  return column.values.some(same) ? "" : say("outside_value");
}

// An empty text is a value where the training data had it as one, or where nothing may be missing.
function meansEmptyText(column, place) {
  const chosen = control(place).selectedOptions?.[0];
  if (chosen) return !("missing" in chosen.dataset);
  return !column.nullable && (column.kind === "text" || column.values.includes(""));
}
