// @ts-check
/**
 * Serve one customer: give what a code is worth, show what came of it, take it back.
 *
 * @module counter/serve
 *
 * @typedef {import("./outcome.js").Screen} Screen
 * @typedef {import("./outcome.js").Undoable} Undoable
 */

import { createAmount } from "./amount.js";
import { refundOf } from "./came-back.js";
import { collectedOf, outcomeOf, undoneOf } from "./outcome.js";
import { isDead, lateRefusalOf, refusalOf } from "./refusal.js";
import { requestId, spend } from "./spend.js";

/**
 * @param {object} page
 * @param {import("./outcome.js").Speech} page.speech
 * @param {{ show: (screen: Screen) => Promise<string> }} page.screen
 * @param {ReturnType<typeof import("./patience.js").createPatience>} page.patience
 * @param {Pick<import("./tally.js").Tally, "value" | "set" | "order" | "clear" | "putBack">} page.quantity
 * @param {{ add: (given: Undoable) => void, undone: (id: string) => void }} page.latest
 * @param {(words: string) => void} page.toast
 * @param {Pick<ReturnType<typeof import("./queue.js").createQueue>, "add" | "drop" | "release" | "refuse">} page.queue
 * @param {() => string} page.who - staff id of the person at the till
 * @param {ReturnType<typeof createAmount>} [page.amountOf] - asks how much is used
 */
export function createServe({ speech, screen, patience, quantity, latest, toast, queue, who, amountOf = pad(speech) }) {
  const { texts } = speech;

  /**
   * Bring a code to its door, until it has an answer or somebody gives up.
   *
   * @param {{ kind: string, code: string, amount?: number }} read
   * @param {number} stamps
   * @param {import("./basket.js").Order} [order] - what was bought
   */
  async function bring(read, stamps, order) {
    const id = requestId();
    // Kept before it is sent: a page that is loaded again goes on with it.
    queue.add({ id, ...read, stamps, order, staffId: who() });
    const tried = await patience((post) => spend(read, stamps, { post, newId: () => id, order }), {
      later: true,
    });
    if (tried.isLater) queue.release(id);
    else queue.drop(id);
    return tried;
  }

  /**
   * @param {Screen} outcome
   * @returns {Promise<{ mood: string }>}
   */
  async function present(outcome) {
    const choice = await screen.show(outcome);
    if (choice === "undo" && outcome.undo) await undo(outcome.undo);
    return outcome;
  }

  /** @param {Undoable} given */
  async function undo(given) {
    const path = `/api/v1/${given.door}/${given.id}/reversal`;
    const { done, stopped } = await patience((post) =>
      post(path, { reason: texts.reason }),
    );
    if (!done) return toast(stopped);
    const isUndone = done.status === 200 || done.status === 201;
    if (isUndone) latest.undone(given.id);
    await screen.show(
      isUndone ? undoneOf(given, texts.given, done.body) : refusalOf(done, speech),
    );
  }

  return {
    present,
    undo,
    /** @param {import("./refund.js").Wanted} wanted */
    async refund({ purchase_id, ...wanted }) {
      const body = { ...wanted, request_id: requestId() };
      const path = `/api/v1/purchases/${purchase_id}/refund`;
      const { done, stopped } = await patience((post) => post(path, body));
      if (!done) return toast(stopped);
      await screen.show(refundOf(done, speech));
    },
    /** @param {{ kind: string, code: string }} read - a card, a voucher, a short code */
    async give(read) {
      const stamps = quantity.value();
      const order = quantity.order();
      let tried = await bring(read, stamps, order);
      // Back to one, also after a refusal: the next customer must not get this one's.
      quantity.set(1);
      const bought = quantity.clear();
      while (tried.done?.answer.body?.code === "amount_needed") {
        const amount = await amountOf(tried.done.answer.body);
        if (amount === null) {
          quantity.putBack(bought);
          return toast(texts.waiting.stopped);
        }
        tried = await bring({ kind: "voucher", code: read.code, amount }, stamps, order);
      }
      const { done, stopped, isLater } = tried;
      if (isLater) return;
      if (!done) return toast(stopped);
      const outcome = outcomeOf(done.door, done.answer, speech);
      // A reward handed out, or a code that died: the sale is still to be told.
      if (done.door !== "stamps" || isDead(done.answer)) quantity.putBack(bought);
      if (outcome.undo) latest.add(outcome.undo);
      return present(outcome);
    },
    /**
     * A scan that waited has its answer.
     *
     * @param {import("./queue.js").Scan} scan
     * @param {{ door: "stamps" | "redemptions", answer: import("./spend.js").Answer }} answered
     * @returns {Screen} already kept where it belongs
     */
    answered(scan, { door, answer }) {
      const isGood = answer.status === 200 || answer.status === 201;
      const outcome = isGood
        ? outcomeOf(door, answer, speech)
        : lateRefusalOf(scan, answer, speech);
      if (isGood) queue.drop(scan.id);
      else queue.refuse(scan.id, outcome.title);
      if (outcome.undo) latest.add(outcome.undo);
      return outcome;
    },
    /**
     * @param {import("./show.js").Shown} shown
     * @param {import("./show.js").Collected} state
     * @returns {Screen} already in the list of the last five
     */
    collected({ stamps, order }, state) {
      // Unless the next one's was begun meanwhile.
      const isSame = JSON.stringify(order) === JSON.stringify(quantity.order());
      if (isSame) quantity.clear();
      const outcome = collectedOf(stamps, state, texts);
      if (outcome.undo) latest.add(outcome.undo);
      return outcome;
    },
  };
}

/** @param {import("./outcome.js").Speech} speech @returns {ReturnType<typeof createAmount>} */
function pad({ texts, lang }) {
  const dialog = globalThis.document?.getElementById("amount");
  if (!dialog) return async () => null;
  return createAmount(/** @type {HTMLDialogElement} */ (dialog), { texts, lang });
}
