// What the server wrote into the page: the model's facts, the texts, and whether a key is asked for.

const given = JSON.parse(document.getElementById("for-script").textContent);

export const keys = given.keys;
const language = given.words.language.slice(0, 2);
// How numbers and times are written: as the browser wants it, where it wants it in the page's language.
export const locale = navigator.languages.find((one) => one.startsWith(language)) ?? given.words.language;
export const charge = { facts: given.facts }; // the model in charge; replaced when another one is

export const by = (id) => document.getElementById(id);

export function say(name, parts = {}) {
  return given.words[name].replace(/\{(\w+)\}/g, (_, part) => parts[part] ?? "");
}

// A registry's number is v12; a bundle that no registry named goes by its digest.
export const named = (version) => (/^\d+$/.test(version) ? `v${version}` : version);

export function made(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// A message at the top that goes by itself.
export function tell(text) {
  by("news").textContent = text;
  by("news").hidden = false;
  clearTimeout(tell.later);
  tell.later = setTimeout(() => { by("news").hidden = true; }, 8000);
}

export const percent = (share) =>
  new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: share > 0.999 || share < 0.001 ? 2 : 1 }).format(share);

// sessionStorage may be forbidden; then nothing is remembered.
export const memory = {
  get(name) {
    try { return sessionStorage.getItem(name); } catch { return null; }
  },
  set(name, value) {
    try { value === null ? sessionStorage.removeItem(name) : sessionStorage.setItem(name, value); } catch { /* forbidden, or full */ }
  },
};
