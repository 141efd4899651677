// @ts-check
/**
 * What goes on behind all of it: scans that wait, the courier that asks for them, the
 * chip and the list that show them.
 *
 * @module counter/behind
 *
 * @typedef {import("./queue.js").Scan} Scan
 * @typedef {import("./session.js").Call} Call
 */

import { createCourier } from "./courier.js";
import { createQueueDrawer } from "./queue-drawer.js";
import { createQueue } from "./queue.js";

/**
 * @param {{ chip: HTMLElement, dialog: HTMLDialogElement }} parts
 * @param {object} page
 * @param {any} page.texts
 * @param {string} page.lang
 * @param {Storage} page.storage
 * @param {Call} page.call
 * @param {() => string} page.who - staff id of the person at the till
 * @param {Parameters<typeof createCourier>[0]["onAnswer"]} page.onAnswer
 * @param {() => void} page.onEnded - the session is over
 */
export function createBehind(parts, { texts, lang, storage, call, who, onAnswer, onEnded }) {
  const queue = createQueue({ storage, onChange: () => drawer.draw() });
  const courier = createCourier({ queue, call, who, onAnswer, onEnded });
  const drawer = createQueueDrawer(parts, {
    texts,
    lang,
    scans: queue.all,
    onNow: () => void courier.hurry(),
    onClear: queue.clearTold,
  });

  return {
    queue,
    open: drawer.open,
    /** Go on with what waits. */
    start: courier.start,
    /** Before another person signs in: nothing of this one is on its way then. */
    pause: courier.pause,
    /** At the start: what another person left when the page was loaded last. */
    begin() {
      queue.handOver(who());
      drawer.draw();
    },
    hasWaiting: () => queue.all().some(({ state }) => state === "waiting"),
  };
}
