// @ts-check
/**
 * Asks for the scans that wait, one after the other, until each has its answer.
 *
 * Goes on behind whatever the page shows, also behind the lock; stops when the session
 * has ended and before another person signs in.
 *
 * @module counter/courier
 *
 * @typedef {import("./queue.js").Scan} Scan
 * @typedef {import("./spend.js").Answer} Answer
 */

import { spend } from "./spend.js";

/**
 * @param {object} world
 * @param {Pick<ReturnType<typeof import("./queue.js").createQueue>, "next">} world.queue
 * @param {import("./session.js").Call} world.call - asks again by itself
 * @param {() => string} world.who - staff id of the person at the till
 * @param {(scan: Scan, answered: { door: "stamps" | "redemptions", answer: Answer }) => void} world.onAnswer
 *   must take the scan out of the queue, or mark it
 * @param {() => void} world.onEnded - nobody is signed in any more
 */
export function createCourier({ queue, call, who, onAnswer, onEnded }) {
  let stop = new AbortController();
  /** @type {Promise<void> | null} */
  let running = null;

  async function run() {
    const { signal } = stop;
    for (;;) {
      const scan = queue.next(who());
      if (!scan || signal.aborted) return;
      /** @type {import("./spend.js").Post} */
      const post = (path, body) => call("POST", path, body, { retry: true, signal });
      const answered = await spend(scan, scan.stamps, {
        post,
        newId: () => scan.id,
        order: scan.order,
      });
      const { status } = answered.answer;
      // No answer that stands: it is asked again later, by the same id.
      if (signal.aborted && status === 0) return;
      if (status === 401) return onEnded();
      onAnswer(scan, answered);
    }
  }

  return {
    /** Go on, if not under way. */
    start() {
      running ??= run().finally(() => {
        running = null;
      });
    },
    /** @returns {Promise<void>} when nothing is under way any more */
    async pause() {
      stop.abort();
      await running;
      stop = new AbortController();
    },
    /** Ask at once instead of after a long wait. */
    async hurry() {
      await this.pause();
      this.start();
    },
  };
}
