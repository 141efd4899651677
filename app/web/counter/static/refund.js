// @ts-check
/**
 * What comes back: the purchases of lately at this location, then which lines of one,
 * and why.
 *
 * @module counter/refund
 *
 * @typedef {{ line_no: number, name: string | null, quantity: number, price: number, is_back: boolean }} Line
 * @typedef {{ purchase_id: string, at: string, amount: number, currency: string, member_name: string | null, number_end: string, lines: Line[] }} Purchase
 * @typedef {{ purchase_id: string, lines: number[], reason: string }} Wanted
 */

import { bought, money, things } from "./money.js";
import { clock, fill, part, say } from "./words.js";

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} page
 * @param {any} page.texts - of the till
 * @param {string} page.lang
 * @param {import("./session.js").Call} page.ask
 * @param {(wanted: Wanted) => void} page.onRefund
 */
export function createRefund(dialog, { texts, lang, ask, onRefund }) {
  const t = texts.refund;
  const form = /** @type {HTMLFormElement} */ (part(dialog, "form"));
  const list = part(dialog, "[data-rows]");
  const empty = part(dialog, "[data-empty]");
  const error = part(dialog, "[data-error]");
  const lines = part(form, "[data-lines]");
  /** @type {Purchase | null} */
  let chosen = null;

  /** @param {boolean} isChoosing - which purchase */
  function turn(isChoosing) {
    list.hidden = !isChoosing;
    form.hidden = isChoosing;
    part(dialog, "[data-back]").hidden = isChoosing;
    error.textContent = "";
  }

  /** @param {Purchase} purchase */
  const isBack = ({ lines: all }) => all.every(({ is_back: back }) => back);

  /** @param {Purchase} purchase */
  function row(purchase) {
    const item = document.createElement("li");
    const button = element("button", "refund__row");
    button.setAttribute("type", "button");
    const who = purchase.member_name ? `\u2068${purchase.member_name}\u2069` : fill(t.number, { number: purchase.number_end });
    const at = clock(new Date(purchase.at), new Date(), lang);
    button.append(
      element("span", "latest__what", bought(purchase, texts.sale, lang)),
      element("span", "soft small", `${who} · ${at}`),
    );
    if (isBack(purchase)) button.append(element("span", "chip", t.back));
    /** @type {HTMLButtonElement} */ (button).disabled = isBack(purchase);
    button.addEventListener("click", () => choose(purchase));
    item.append(button);
    return item;
  }

  /** @param {Purchase} purchase */
  function choose(purchase) {
    chosen = purchase;
    say(part(form, "[data-what]"), bought(purchase, texts.sale, lang));
    lines.replaceChildren(...purchase.lines.map((line) => box(line, purchase.currency)));
    turn(false);
    lines.querySelector("input")?.focus();
  }

  /** @param {Line} line @param {string} currency */
  function box(line, currency) {
    const label = element("label", "refund__line");
    const input = document.createElement("input");
    input.type = "checkbox";
    input.value = String(line.line_no);
    input.checked = !line.is_back;
    input.disabled = line.is_back;
    const what = element("span", "latest__what", things([line], texts.sale.other)[0]);
    const sum = money(line.price * line.quantity, currency, lang);
    label.append(input, what, element("span", "soft", line.is_back ? t.back : sum));
    return label;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const picked = [.../** @type {NodeListOf<HTMLInputElement>} */ (lines.querySelectorAll("input:checked:not(:disabled)"))];
    const why = /** @type {HTMLInputElement | null} */ (form.querySelector('[name="refund-reason"]:checked'));
    error.textContent = picked.length ? (why ? "" : t.no_reason) : t.no_line;
    if (!chosen || !picked.length || !why) return;
    dialog.close();
    onRefund({
      purchase_id: chosen.purchase_id,
      lines: picked.map(({ value }) => Number(value)),
      reason: why.value,
    });
  });
  part(dialog, "[data-back]").addEventListener("click", () => turn(true));

  return {
    async open() {
      chosen = null;
      list.replaceChildren();
      empty.hidden = true;
      turn(true);
      dialog.showModal();
      dialog.setAttribute("aria-busy", "true");
      const answer = await ask("GET", "/api/v1/purchases", undefined, { retry: 2 });
      dialog.removeAttribute("aria-busy");
      if (answer.status !== 200) error.textContent = answer.body?.detail ?? t.network;
      else list.replaceChildren(...answer.body.map(row));
      empty.hidden = answer.status !== 200 || answer.body.length > 0;
    },
  };
}

/** @param {string} tag @param {string} className @param {string} [text] */
function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  say(made, text);
  return made;
}
