// @ts-check
/**
 * Training: the till as it is, and nothing real.
 *
 * It is held here, in the tab, and not by the server: a till in training sends nothing
 * that could count, so there is nothing that the server would have to know. The one door
 * is `guard`: through it a page in training may read, and sign people in and out. Every
 * other call ends before it leaves the device, whoever asks. It ends by itself.
 *
 * @module counter/training
 *
 * @typedef {import("./session.js").Call} Call
 * @typedef {import("./outcome.js").Screen} Screen
 */

import { fill } from "./words.js";

/** How long training lasts, ms. */
export const LASTS_MS = 15 * 60_000;
const KEY = "punchproof-training";
const LOOK_MS = 1000;
const STAY_MS = 3000;
/** What may leave the device in training. */
const OPEN = /^\/counter\/sign-(in|out)$/;

/**
 * @param {object} world
 * @param {Storage} world.storage - of the tab
 * @param {(minutes: number) => void} world.onChange - minutes left; 0: it is over
 * @param {() => number} [world.now] - ms
 */
export function createTraining({ storage, onChange, now = Date.now }) {
  let wasOn = false;
  let shown = -1;

  const left = () => {
    const rest = Number(storage.getItem(KEY)) - now();
    // A clock that was set back must not make training last for hours.
    return rest > 0 && rest <= LASTS_MS ? rest : 0;
  };

  function look() {
    const minutes = Math.ceil(left() / 60_000);
    if (minutes !== shown && (minutes > 0 || wasOn)) onChange(minutes);
    shown = minutes;
    wasOn = minutes > 0;
    if (!minutes) storage.removeItem(KEY);
  }

  return {
    isOn: () => left() > 0,
    start() {
      storage.setItem(KEY, String(now() + LASTS_MS));
      look();
    },
    stop() {
      storage.removeItem(KEY);
      look();
    },
    begin() {
      setInterval(look, LOOK_MS);
      look();
    },
    look,
    /**
     * @param {Call} call
     * @returns {Call} the same, shut while training is on
     */
    guard: (call) => async (method, path, body, options) =>
      left() > 0 && method !== "GET" && !OPEN.test(path)
        ? { status: 403, body: { code: "training" }, retryAfter: 0, unsure: false }
        : call(method, path, body, options),
  };
}

/**
 * What a scan would have shown.
 *
 * @param {string} kind - of the code
 * @param {number} stamps
 * @param {any} t - the till's sentences of training
 * @returns {Screen} neither green nor given
 */
export const practised = (kind, stamps, t) => ({
  mood: "practice",
  icon: kind === "voucher" ? "voucher" : "given",
  title: kind === "voucher" ? t.voucher : t.stamps[stamps - 1],
  lines: [t.nothing],
  dots: null,
  earned: "",
  undo: null,
  stay: STAY_MS,
});

/**
 * @param {number} minutes
 * @param {any} t
 * @returns {string}
 */
export const leftIn = (minutes, t) => fill(t.left, { minutes });
