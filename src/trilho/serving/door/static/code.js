// The current row as a command and as a program to copy.

import { by, charge, say } from "./given.js";
import { readRow } from "./inputs.js";
import { hasKey } from "./sending.js";

let kind = "curl";

export function showCode() {
  by("code").textContent = kind === "curl" ? curl() : python();
}

export function setUpCode() {
  const tabs = [by("tab-curl"), by("tab-python")];
  const choose = (tab) => {
    kind = tab.id === "tab-curl" ? "curl" : "python";
    for (const one of tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
    }
    by("code").setAttribute("aria-labelledby", tab.id);
    showCode();
  };
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      choose(tabs[1 - at]);
      tabs[1 - at].focus();
    });
  });
  by("copy").addEventListener("click", async () => {
    await copied(by("code"));
    by("copy").textContent = say("copied");
    setTimeout(() => { by("copy").textContent = say("copy"); }, 1500);
  });
  showCode();
}

// ----------------------------------------------------------------------------------------------------------------------

const address = () => new URL("predict", document.baseURI).href;
const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const images = () => charge.facts.columns.filter((column) => column.kind === "image");

function curl() {
  const { row, files } = readRow();
  const lines = [`curl -s ${shell(address())}`];
  if (hasKey()) lines.push(`  -H "x-api-key: $TRILHO_API_KEY"`);
  if (!images().length) return [...lines, `  -H 'content-type: application/json'`, `  -d ${shell(JSON.stringify(row, null, 1))}`].join(" \\\n");
  for (const column of charge.facts.columns) {
    const value = column.kind === "image" ? null : row[column.name];
    const file = `@"${(files[column.name]?.name ?? "image.png").replace(/[\\"]/g, "\\$&")}"`;
    lines.push(column.kind === "image" ? `  -F ${shell(`${formName(column.name)}=${file}`)}` : `  --form-string ${shell(`${formName(column.name)}=${value ?? ""}`)}`);
  }
  return lines.join(" \\\n");
}

const formName = (name) => name.replaceAll('"', "%22");

function python() {
  const { row, files } = readRow();
  const key = hasKey() ? `    headers={"x-api-key": os.environ["TRILHO_API_KEY"]},\n` : "";
  const start = `${key ? "import os\n\n" : ""}import requests\n\n`;
  const end = `${key})\nresponse.raise_for_status()\nprint(response.json()["predictions"][0])\n`;
  if (!images().length) return `${start}row = ${literal(row)}\nresponse = requests.post(\n    ${literal(address())},\n    json=row,\n${end}`;
  const texts = Object.fromEntries(Object.entries(row).filter(([name]) => !images().some((column) => column.name === name)).map(([name, value]) => [name, value === null ? "" : String(value)]));
  const opened = images().map(({ name }) => `${literal(name)}: open(${literal(files[name]?.name ?? "image.png")}, "rb")`);
  return `${start}response = requests.post(\n    ${literal(address())},\n    data=${literal(texts)},\n    files={${opened.join(", ")}},\n${end}`;
}

// A JSON value as Python writes it, a column a line.
function literal(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const lines = Object.entries(value).map(([name, one]) => `    ${literal(name)}: ${literal(one)},\n`);
  return lines.length ? `{\n${lines.join("")}}` : "{}";
}

async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch {
    // Not a secure context: select it, and copy as people did before.
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }
}
