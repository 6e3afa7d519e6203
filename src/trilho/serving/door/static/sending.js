// Requests to this server, with the API key that was asked for once.

import { by, keys, memory } from "./given.js";

const KEY = "trilho-key";

export const hasKey = () => keys || memory.get(KEY) !== null;

// One row to /predict: as JSON, or as a form where there are files.
export async function predict(row, files) {
  const began = performance.now();
  const answer = Object.keys(files).length
    ? await send("predict", { body: form(row, files) })
    : await sendJson("predict", row);
  return { ...answer, ms: Math.round(performance.now() - began) };
}

export function sendJson(path, value) {
  return send(path, { body: JSON.stringify(value), headers: { "content-type": "application/json" } });
}

// ----------------------------------------------------------------------------------------------------------------------

async function send(path, { body, headers = {} }) {
  if (keys && memory.get(KEY) === null && !(await askForKey(false))) return { ok: false, status: 401, body: null };
  for (;;) {
    const key = memory.get(KEY);
    const given = key === null ? headers : { ...headers, "x-api-key": key };
    const response = await fetch(path, { method: "POST", body, headers: given, cache: "no-store" });
    if (response.status === 401) {
      memory.set(KEY, null);
      if (await askForKey(key !== null)) continue;
    }
    const text = await response.text();
    let found = null;
    try { found = JSON.parse(text); } catch { /* an answer of something between us and the server */ }
    return { ok: response.ok, status: response.status, body: found };
  }
}

function form(row, files) {
  const found = new FormData();
  for (const [name, value] of Object.entries(row)) found.append(name, value === null ? "" : String(value));
  for (const [name, file] of Object.entries(files)) found.append(name, file, file.name);
  return found;
}

// Ask until the dialog is closed; true once there is a key.
function askForKey(wrong) {
  const dialog = by("key-dialog");
  by("key-problem").hidden = !wrong;
  by("key").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const key = by("key").value.trim();
      const given = dialog.returnValue === "use" && key !== "";
      if (given) memory.set(KEY, key);
      by("key").value = "";
      resolve(given);
    }, { once: true });
  });
}
