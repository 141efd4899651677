// @ts-check
/**
 * The field for a code that a customer reads aloud: "4KD7 QX2".
 *
 * @module counter/typed
 */

import { part } from "./words.js";

const GROUP = 4;
const SHORT = 7;

/**
 * @param {string} text - as typed so far
 * @returns {string} upper case, in groups; a long code or link is left as it is
 */
export function grouped(text) {
  const plain = text.toUpperCase().replace(/[^A-Z0-9]/g, "");
  if (plain.length > SHORT) return text;
  return plain.length > GROUP ? `${plain.slice(0, GROUP)} ${plain.slice(GROUP)}` : plain;
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} page
 * @param {(text: string) => boolean} page.onText - false: that is no code
 * @param {string} page.unreadable - what to say then
 */
export function createTyped(dialog, { onText, unreadable }) {
  const form = part(dialog, "form");
  const field = /** @type {HTMLInputElement} */ (part(dialog, "input"));
  const error = part(dialog, "[data-error]");

  const say = (/** @type {string} */ text) => {
    error.textContent = text;
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  };

  field.addEventListener("input", () => {
    say("");
    // In the middle of the text the caret would jump: group only at its end.
    if (field.selectionStart === field.value.length) field.value = grouped(field.value);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!onText(field.value)) {
      say(unreadable);
      return;
    }
    dialog.close();
  });
  return {
    open() {
      field.value = "";
      say("");
      dialog.showModal();
      field.focus();
    },
  };
}
