// @ts-check
/**
 * The scans that wait, in one look: a chip with their number, and the list behind it.
 *
 * @module counter/queue-drawer
 *
 * @typedef {import("./queue.js").Scan} Scan
 */

import { clock, part, say } from "./words.js";

/**
 * @param {Scan} scan
 * @param {any} texts - of the till
 * @returns {string} "2 stamps"
 */
export function whatOf({ kind, stamps }, texts) {
  if (kind === "voucher") return texts.queue.voucher;
  return texts.latest.stamp[stamps - 1] ?? texts.queue.voucher;
}

/**
 * @param {{ chip: HTMLElement, dialog: HTMLDialogElement }} parts
 * @param {object} page
 * @param {any} page.texts - of the till
 * @param {string} page.lang
 * @param {() => Scan[]} page.scans
 * @param {() => void} page.onNow - a person wants it tried at once
 * @param {() => void} page.onClear
 */
export function createQueueDrawer({ chip, dialog }, { texts, lang, scans, onNow, onClear }) {
  const t = texts.queue;
  const now = part(dialog, "[data-now]");
  const clear = part(dialog, "[data-clear]");

  now.addEventListener("click", onNow);
  clear.addEventListener("click", () => {
    onClear();
    if (scans().length === 0) dialog.close();
  });

  /** @param {Scan} scan */
  function row(scan) {
    const item = document.createElement("li");
    item.className = "list__row";
    const words = document.createElement("span");
    words.className = "latest__words";
    const what = document.createElement("span");
    what.className = "latest__what";
    what.textContent = whatOf(scan, texts);
    const more = document.createElement("span");
    more.className = "soft small";
    const at = clock(new Date(scan.at), new Date(), lang);
    say(more, [at, scan.words || t.means[scan.state]].filter(Boolean).join(" · "));
    words.append(what, more);
    const mark = document.createElement("span");
    mark.className = `chip chip--${scan.state === "waiting" ? "waiting" : "refused"}`;
    mark.textContent = t.states[scan.state];
    item.append(words, mark);
    return item;
  }

  function draw() {
    const all = scans();
    const waiting = all.filter(({ state }) => state === "waiting").length;
    const told = all.length - waiting;
    chip.hidden = all.length === 0;
    chip.classList.toggle("till__queue--told", waiting === 0 && told > 0);
    const counts = waiting ? t.waiting : t.told;
    const many = waiting || told;
    part(chip, "span").textContent = counts[Math.min(many, counts.length) - 1] ?? "";
    part(dialog, "[data-rows]").replaceChildren(...all.map(row).reverse());
    part(dialog, "[data-empty]").hidden = all.length > 0;
    now.hidden = waiting === 0;
    clear.hidden = told === 0;
  }

  return {
    draw,
    open() {
      draw();
      dialog.showModal();
    },
  };
}
