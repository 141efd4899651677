// @ts-check
/**
 * How much of a voucher is used: a big number pad, as on a payment terminal.
 *
 * Digits are minor units and move in from the right; no more than is left is taken.
 *
 * @module counter/amount
 *
 * @typedef {{ rest: number, currency: string, reward: string }} Asked - of the refusal
 */

import { fill, part, say } from "./words.js";
import { sum } from "./worth.js";

/** Digits of the largest sum. */
const MOST = 9;

/**
 * @param {HTMLDialogElement} dialog
 * @param {{ texts: any, lang?: string }} page - texts of the till
 * @returns {(asked: Asked) => Promise<number | null>} null: nothing is used
 */
export function createAmount(dialog, { texts, lang }) {
  const t = texts.amount;
  const error = part(dialog, "[data-error]");
  const all = part(dialog, "[data-all]");
  let typed = "";
  /** @type {Asked} */
  let asked = { rest: 0, currency: "EUR", reward: "" };
  /** @type {((amount: number | null) => void) | null} */
  let settle = null;

  /** @param {string} digits */
  function set(digits) {
    typed = digits.replace(/^0+/, "").slice(0, MOST);
    part(dialog, "[data-sum]").textContent = sum(Number(typed), asked.currency, lang);
    error.textContent = "";
  }

  /** @param {number | null} amount */
  function end(amount) {
    const tell = settle;
    settle = null;
    if (dialog.open) dialog.close();
    tell?.(amount);
  }

  dialog.addEventListener("click", ({ target }) => {
    const key = target instanceof Element ? target.closest("button") : null;
    if (key?.dataset.digit) set(typed + key.dataset.digit);
    if (key?.dataset.erase !== undefined) set(typed.slice(0, -1));
    if (key === all) end(asked.rest);
  });
  dialog.addEventListener("keydown", (event) => {
    if (/^\d$/.test(event.key)) set(typed + event.key);
    else if (event.key === "Backspace") set(typed.slice(0, -1));
    else return;
    event.preventDefault();
  });
  part(dialog, "form").addEventListener("submit", (event) => {
    event.preventDefault();
    const amount = Number(typed);
    if (amount >= 1 && amount <= asked.rest) return end(amount);
    const most = sum(asked.rest, asked.currency, lang);
    say(error, fill(t.at_most, { most }));
  });
  dialog.addEventListener("close", () => end(null));

  return (wanted) => {
    asked = wanted;
    set("");
    const left = sum(asked.rest, asked.currency, lang);
    say(part(dialog, "[data-reward]"), asked.reward);
    say(part(dialog, "[data-left]"), fill(t.left, { left }));
    say(all, fill(t.all, { left }));
    dialog.showModal();
    return new Promise((resolve) => {
      settle = resolve;
    });
  };
}
