// @ts-check
/**
 * Keep one living code on the screen, and never a dead one.
 *
 * A code lives LIFE_MS from the moment it was asked for (it was made later than that, so
 * it is never shown longer than it is good, whatever the phone's clock says). It is
 * renewed every RENEW_MS while shown. When renewing fails the old code stays only as
 * long as it lives, the trouble is told at once, and the next try comes by itself.
 * Closing and opening again shows the same code if it is younger than REUSE_MS.
 *
 * @module customer/renewal
 */

export const RENEW_MS = 30_000;
export const REUSE_MS = 25_000;
export const LIFE_MS = 57_000;
const WAITS_MS = [1_000, 2_000, 4_000, 5_000];

/**
 * @typedef {{ code: string, short: string | null, picture: string }} Issued
 * @typedef {{ now: () => number, after: (ms: number, then: () => void) => () => void }} Clock
 * @typedef {object} Shown
 * @property {Issued | null} code - null: there is nothing good to show
 * @property {number} left - whole seconds until the next code
 * @property {number} part - the same as a part of the whole, 1 to 0
 * @property {string | null} trouble - a sentence, when the last try failed
 * @property {boolean} final - no further try will be made
 */

/** A refusal that no retry will cure, with the sentence to show. */
export class Refusal extends Error {}

/**
 * @param {object} world
 * @param {() => Promise<Issued>} world.issue - rejects with the sentence to show; with a Refusal when trying again is no use
 * @param {Clock} world.clock - monotonic milliseconds
 * @param {(shown: Shown) => void} world.show - called on each change and each second
 * @param {(code: string) => number} world.keyOf - the key that made a code
 */
export function renewal({ issue, clock, show, keyOf }) {
  /** @type {Issued | null} */
  let code = null;
  let askedAt = -Infinity;
  let running = 0; // the number of the present run; an older answer is nobody's
  let failures = 0;
  /** @type {string | null} */
  let trouble = null;
  let final = false;
  let asking = false;
  /** @type {(() => void)[]} */
  let timers = [];

  const stopTimers = () => timers.splice(0).forEach((cancel) => cancel());
  const age = () => clock.now() - askedAt;

  function draw() {
    if (code && age() >= LIFE_MS) code = null;
    const ms = code ? Math.max(0, RENEW_MS - age()) : 0;
    show({ code, left: Math.ceil(ms / 1000), part: ms / RENEW_MS, trouble, final });
  }

  /** @param {number} run */
  function tick(run) {
    if (run !== running) return;
    draw();
    timers.push(clock.after(1_000, () => tick(run)));
  }

  /** @param {number} run */
  async function ask(run) {
    if (run !== running || asking) return;
    asking = true;
    const at = clock.now();
    try {
      const fresh = await issue();
      code = fresh;
      askedAt = at;
      failures = 0;
      trouble = null;
    } catch (error) {
      failures += 1;
      trouble = error instanceof Error ? error.message : String(error);
      final = error instanceof Refusal;
    } finally {
      asking = false;
    }
    // Closed and opened again meanwhile: the open run goes on with what came.
    if (running) follow(running);
  }

  /** @param {number} run */
  function follow(run) {
    stopTimers();
    tick(run);
    if (final) return;
    const wait = failures
      ? WAITS_MS[Math.min(failures, WAITS_MS.length) - 1]
      : Math.max(0, RENEW_MS - age());
    timers.push(clock.after(wait, () => ask(run)));
  }

  let runs = 0;
  return {
    /** Show a code: the last one while it is young, else a new one. */
    start() {
      running = runs += 1;
      failures = 0;
      trouble = null;
      final = false;
      if (code && age() < REUSE_MS) return follow(running);
      stopTimers();
      tick(running);
      void ask(running);
    },
    /** Stop asking; the code is kept for REUSE_MS. */
    stop() {
      running = 0;
      stopTimers();
    },
    /** The code was spent: it is nothing now, whatever its age. */
    spent() {
      code = null;
      askedAt = -Infinity;
    },
    /**
     * The codes of some keys are worthless: drop ours if it is one, and get another.
     *
     * @param {ReadonlySet<number>} keys
     */
    revoked(keys) {
      if (!code || !keys.has(keyOf(code.code))) return;
      this.spent();
      if (running) void ask(running);
    },
  };
}
