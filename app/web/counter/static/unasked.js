// @ts-check
/**
 * Answers that come while nobody waits for them: a stamp code was collected, a scan of
 * before has its answer. Nothing of it tears a result from under a finger.
 *
 * @module counter/unasked
 *
 * @typedef {import("./outcome.js").Screen} Screen
 */

/**
 * @param {object} page
 * @param {any} page.texts
 * @param {Pick<ReturnType<typeof import("./gate.js").createGate>, "isBusy" | "isFree" | "alone">} page.gate
 * @param {(outcome: Screen) => Promise<{ mood: string }>} page.present
 * @param {Record<"given" | "refused", () => void>} page.sound
 * @param {(words: string) => void} page.toast
 */
export function createUnasked({ texts, gate, present, sound, toast }) {
  return {
    /**
     * A code that this till showed was collected.
     *
     * @param {Screen} outcome - already in the list of the last five
     * @param {() => void} makeRoom - take the shown code away
     */
    async collected(outcome, makeRoom) {
      if (gate.isBusy()) return toast(`${outcome.title} · ${outcome.lines[0]}`);
      makeRoom();
      await gate.alone(() => present(outcome));
    },
    /**
     * A scan of before has its answer: a good one in a line, a refusal over the screen.
     *
     * @param {Screen} outcome
     */
    async late(outcome) {
      const isGood = outcome.mood === "given";
      if (!isGood && gate.isFree()) return gate.alone(() => present(outcome));
      sound[isGood ? "given" : "refused"]();
      toast(isGood ? `${texts.queue.confirmed} ${outcome.title}` : outcome.title);
    },
  };
}
