// Whole rows: typical, random, pasted.

import { charge, say } from "./given.js";
import { rounded, valueAt, write } from "./inputs.js";

export function fillTypical() {
  charge.facts.columns.forEach((column, place) => write(place, typical(column)));
}

// Each value by itself: a number from between the training quantiles, a category by its share, missing as often as it was.
export function fillRandom() {
  charge.facts.columns.forEach((column, place) => write(place, drawn(column)));
}

export function fill(row) {
  let filled = 0;
  charge.facts.columns.forEach((column, place) => {
    if (!Object.hasOwn(row, column.name)) return;
    write(place, row[column.name]);
    filled += 1;
  });
  return filled;
}

// The first row in what somebody pasted, by column name. Throws an Error with words for the reader.
export function pastedRow(text) {
  const trimmed = text.trim();
  if (!trimmed) throw new Error(say("paste_empty"));
  const row = /^[[{]/.test(trimmed) ? fromJson(trimmed) : fromCsv(trimmed);
  const names = Object.keys(row);
  if (!names.some((name) => charge.facts.columns.some((column) => column.name === name))) {
    throw new Error(say("paste_unknown", { names: names.slice(0, 5).join(", ") }));
  }
  return row;
}

// ----------------------------------------------------------------------------------------------------------------------

function typical(column) {
  if (column.typical === null) return null;
  if (column.kind === "number") return rounded(column.typical, column);
  return column.typical;
}

function drawn(column) {
  if (column.nullable && Math.random() < column.missing) return null;
  if (column.quantiles.length && column.kind === "time") return Math.round(valueAt(Math.random(), column.quantiles));
  if (column.quantiles.length) return rounded(valueAt(Math.random(), column.quantiles), column);
  if (!column.values.length) return typical(column);
  let left = Math.random() * column.shares.reduce((sum, share) => sum + share, 0);
  const place = column.shares.findIndex((share) => (left -= share) <= 0);
  return column.values[Math.max(place, 0)];
}

function fromJson(text) {
  let found;
  try { found = JSON.parse(text.replace(/\bNaN\b/g, "null")); } catch { throw new Error(say("paste_broken")); }
  found = found.dataframe_split ?? found.dataframe_records ?? found.inputs ?? found.instances ?? found;
  if (Array.isArray(found?.columns) && Array.isArray(found.data)) return named(found.columns, [found.data[0]].flat());
  if (Array.isArray(found) && (Array.isArray(found[0]) || (found[0] !== null && typeof found[0] === "object"))) [found] = found;
  if (Array.isArray(found)) return byOrder(found);
  if (found === null || typeof found !== "object") throw new Error(say("paste_broken"));
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
}

function fromCsv(text) {
  const [first] = text.split(/\r?\n/, 1);
  const mark = [",", ";", "\t"].reduce((best, sign) => (first.split(sign).length > first.split(best).length ? sign : best), ",");
  const lines = csv(text, mark).filter((line) => line.length > 1 || line[0] !== "");
  const known = new Set(charge.facts.columns.map((column) => column.name));
  if (lines.length > 1 && lines[0].some((name) => known.has(name.trim()))) {
    return named(lines[0].map((name) => name.trim()), lines[1].map(word));
  }
  return byOrder(lines[0].map(word));
}

function csv(text, mark) {
  const lines = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at], line = lines.at(-1);
    if (quoted && sign === '"' && text[at + 1] === '"') { line[line.length - 1] += '"'; at += 1; }
    else if (sign === '"') quoted = !quoted;
    else if (!quoted && sign === mark) line.push("");
    else if (!quoted && sign === "\n") lines.push([""]);
    else if (quoted || sign !== "\r") line[line.length - 1] += sign;
  }
  return lines;
}

const word = (text) => (text === "" || /^(nan|null|na|n\/a)$/i.test(text) ? null : text);

function named(names, values) {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]));
}

function byOrder(values) {
  const columns = charge.facts.columns;
  if (values.length !== columns.length) throw new Error(say("paste_count", { got: values.length, wanted: columns.length }));
  return named(columns.map((column) => column.name), values);
}
