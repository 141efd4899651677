// @ts-check
/**
 * A text has come, from the camera, a hand scanner or a keyboard: what becomes of it.
 *
 * @module counter/take
 */

import { notForTills } from "./refusal.js";
import { practised } from "./training.js";

/**
 * @param {object} page
 * @param {any} page.texts
 * @param {typeof import("/static/shared/scanner/code-text.js").readCode} page.readCode
 * @param {Pick<ReturnType<typeof import("./gate.js").createGate>, "isBusy" | "alone">} page.gate
 * @param {() => boolean} page.skip - take a finished result away for the next scan
 * @param {Pick<ReturnType<typeof import("./serve.js").createServe>, "give" | "present">} page.serve
 * @param {Pick<import("./tally.js").Tally, "value" | "set" | "clear">} page.quantity
 * @param {() => boolean} page.isTraining
 * @param {() => boolean} page.isAsking - who is at the till, is being asked
 * @param {() => void} page.touch - somebody is at work
 * @param {() => void} page.onForeign - that was no code of ours
 */
export function createTake(page) {
  const { texts, readCode, gate, skip, serve, quantity, isTraining, isAsking } = page;

  /** @param {string} kind */
  function practise(kind) {
    const stamps = quantity.value();
    quantity.set(1);
    quantity.clear();
    return serve.present(practised(kind, stamps, texts.training));
  }

  /**
   * @param {string} text
   * @param {boolean} isByHand - typed, or by a hand scanner: seven characters will do
   */
  return async function take(text, isByHand) {
    if (isAsking() || (gate.isBusy() && !skip())) return;
    page.touch();
    await new Promise((next) => setTimeout(next)); // what was skipped comes to its end
    const read = readCode(text);
    if (!read || (read.kind === "short" && !isByHand)) return page.onForeign();
    const other = texts.kinds[read.kind];
    await gate.alone(() => {
      if (other) return serve.present(notForTills(other));
      return isTraining() ? practise(read.kind) : serve.give(read);
    });
  };
}
