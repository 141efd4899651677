// @ts-check
/**
 * Make this device a till: scan the enrolment code, paste it, or come with it in the
 * address after `#enrol=` (which a browser sends to nobody).
 *
 * @module counter/enrol
 */

import { call } from "/static/shared/api.js";
import { readCode } from "/static/shared/scanner/code-text.js";
import { startScanner } from "/static/shared/scanner/scanner.js";
import { createView } from "./view.js";
import { fill, howLong, pageData, part } from "./words.js";

const texts = pageData("texts");
const { lang } = document.documentElement;
const form = part(document, "#enrol");
const field = /** @type {HTMLTextAreaElement} */ (part(form, "#code"));
const name = /** @type {HTMLInputElement} */ (part(form, "#name"));
const view = part(form, "[data-view]");
const scan = part(form, "[data-scan]");
const submit = /** @type {HTMLButtonElement} */ (part(form, "[data-submit]"));

/** @type {import("./view.js").Scanner | null} */
let scanner = null;

/** @param {string} words */
function refuse(words) {
  showField(true);
  part(form, "[data-error]").textContent = words;
  if (words) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/**
 * The code is 128 characters that nobody reads: once it is there, only that is said.
 *
 * @param {boolean} isShown
 */
function showField(isShown) {
  part(form, "[data-code-field]").hidden = !isShown;
  part(form, "[data-how]").hidden = !isShown;
  part(form, "[data-got]").hidden = isShown;
  part(form, "[data-note]").textContent = isShown ? "" : texts.got;
}

/**
 * @param {string} text - scanned, pasted or from the address
 * @returns {string | null} the code; null when it is none, and that was said
 */
function enrolment(text) {
  const read = readCode(text.replace(/\s/g, ""));
  if (read?.kind === "enrolment") return read.code;
  const isOurs = read !== null && read.kind !== "short";
  refuse(isOurs ? texts.wrong_kind : texts.unreadable);
  return null;
}

/** @param {string} text */
function take(text) {
  const code = enrolment(text);
  if (!code) return;
  refuse("");
  field.value = code.replace(/.{4}(?=.)/g, "$& ");
  showField(false);
  scanner?.stop();
  scanner = null;
  view.hidden = true;
  scan.hidden = true;
  submit.focus();
}

scan.addEventListener("click", async () => {
  view.hidden = false;
  scan.hidden = true;
  scanner = await createView(view, {
    startScanner,
    texts: texts.scanner,
    onText: take,
  });
});

field.addEventListener("input", () => refuse(""));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const code = enrolment(field.value);
  if (!code) {
    field.focus();
    return;
  }
  submit.disabled = true;
  // Not tried again by itself: a code makes one till, and a lost answer loses it.
  const answer = await call("POST", "/counter/enrol", {
    code,
    ...(name.value.trim() ? { name: name.value.trim() } : {}),
  });
  if (answer.status === 201) {
    location.replace("/counter/");
    return;
  }
  submit.disabled = false;
  const wait = { time: howLong(answer.retryAfter || 60, lang) };
  refuse(
    answer.status === 429
      ? fill(texts.limit, wait)
      : (answer.body?.detail ?? texts.network),
  );
});

function fromAddress() {
  const code = /^#enrol=(.+)$/.exec(location.hash)?.[1];
  if (!code) return;
  history.replaceState(null, "", location.pathname);
  take(decodeURIComponent(code));
}
// Until now a tap would have sent the form the browser's own way, without the code.
submit.disabled = false;
globalThis.addEventListener("hashchange", fromAddress);
fromAddress();
