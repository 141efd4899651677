// @ts-check
/**
 * What the menu offers beside the scan: a phone that is dead, and what comes back.
 *
 * @module counter/more
 */

import { offerFind } from "./find.js";
import { createRefund } from "./refund.js";
import { part } from "./words.js";

/**
 * @param {Document} page
 * @param {object} till
 * @param {any} till.texts - of the till
 * @param {string} till.lang
 * @param {import("./session.js").Call} till.ask
 * @param {Pick<ReturnType<typeof import("./gate.js").createGate>, "alone" | "look">} till.gate
 * @param {Pick<import("./tally.js").Tally, "value">} till.quantity
 * @param {Pick<ReturnType<typeof import("./serve.js").createServe>, "give" | "refund">} till.serve
 * @param {() => boolean} till.isRefused - not now, and has said why
 */
export function offerMore(page, { texts, lang, ask, gate, quantity, serve, isRefused }) {
  offerFind(page, {
    texts: texts.by_hand,
    lang,
    ask,
    stamps: quantity.value,
    onGive: (code) => void gate.alone(() => serve.give({ kind: "hand", code })),
    isRefused,
    look: gate.look,
  });
  const menu = /** @type {HTMLDialogElement} */ (part(page, "#menu"));
  const refund = createRefund(/** @type {HTMLDialogElement} */ (part(page, "#refund")), {
    texts,
    lang,
    ask,
    onRefund: (wanted) => void gate.alone(() => serve.refund(wanted)),
  });
  part(menu, "[data-refund]").addEventListener("click", () => {
    menu.close();
    if (!isRefused()) void refund.open();
    gate.look();
  });
}
