// @ts-check
/**
 * Find a customer whose phone is dead, by name or card number, and give by hand.
 *
 * There only where a manager has allowed it. A row says whose card it is and no more.
 *
 * @module counter/find
 *
 * @typedef {{ card_id: string, member_name: string | null, number_end: string }} Found
 */

import { fill, howLong, part, say } from "./words.js";

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} page
 * @param {any} page.texts - of giving by hand
 * @param {string} page.lang
 * @param {import("./session.js").Call} page.ask
 * @param {() => number} page.stamps - how many will be given
 * @param {(cardId: string) => void} page.onGive
 */
export function createFind(dialog, { texts, lang, ask, stamps, onGive }) {
  const form = part(dialog, "form");
  const field = /** @type {HTMLInputElement} */ (part(dialog, "input"));
  const error = part(dialog, "[data-error]");
  const rows = part(dialog, "[data-rows]");
  let turn = 0;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    turn += 1;
    const mine = turn;
    error.textContent = "";
    rows.replaceChildren();
    form.setAttribute("aria-busy", "true");
    const answer = await ask("POST", "/api/v1/card-searches", { q: field.value }, { retry: 2 });
    form.removeAttribute("aria-busy");
    if (mine !== turn) return;
    if (answer.status !== 200) return refuse(answer);
    if (answer.body.length === 0) error.textContent = texts.nobody;
    rows.replaceChildren(...answer.body.map(row));
    rows.querySelector("button")?.focus();
  });

  /** @param {import("./spend.js").Answer} answer */
  function refuse({ status, body, retryAfter }) {
    const sentences = new Map([
      [0, texts.network],
      [422, texts.short],
      [429, fill(texts.limit, { time: howLong(retryAfter || 60, lang) })],
    ]);
    error.textContent = "";
    say(error, sentences.get(status) ?? body?.detail ?? texts.network);
  }

  /** @param {Found} found */
  function row({ card_id: cardId, member_name: name, number_end: number }) {
    const item = document.createElement("li");
    item.className = "list__row find__row";
    const words = document.createElement("span");
    words.className = "latest__words";
    // A bdi of its own would be ranged by the name's letters, not by the page's.
    const who = document.createElement("span");
    who.className = "latest__what";
    const called = document.createElement("bdi");
    called.textContent = name ?? texts.nameless;
    who.append(called);
    const more = document.createElement("span");
    more.className = "soft small";
    say(more, fill(texts.number, { number }));
    words.append(who, more);
    const give = document.createElement("button");
    give.type = "button";
    give.className = "btn btn--small";
    give.textContent = texts.give[stamps() - 1];
    give.addEventListener("click", () => {
      dialog.close();
      onGive(cardId);
    });
    item.append(words, give);
    return item;
  }

  return {
    open() {
      field.value = "";
      error.textContent = "";
      rows.replaceChildren();
      dialog.showModal();
      field.focus();
    },
  };
}

/**
 * The way to it in the menu; nothing where no manager has allowed it.
 *
 * @param {Document} page
 * @param {Parameters<typeof createFind>[1] & { isRefused: () => boolean, look: () => void }} till
 *   `isRefused`: not now, and has said why; `look`: a layer came or went
 */
export function offerFind(page, { isRefused, look, ...its }) {
  const dialog = /** @type {HTMLDialogElement | null} */ (page.querySelector("#find"));
  if (!dialog) return;
  const find = createFind(dialog, its);
  const menu = /** @type {HTMLDialogElement} */ (part(page, "#menu"));
  part(menu, "[data-find]").addEventListener("click", () => {
    menu.close();
    if (!isRefused()) find.open();
    look();
  });
}
