// @ts-check
/**
 * Ask again and again while the page is seen.
 *
 * One question at a time; a hidden page asks nothing and asks at once when it is seen
 * again. A question that fails is asked again after growing waits, and the page hears
 * of it, so that it never looks live when it is not.
 *
 * @module console/polling
 */

/** Longest wait between questions that fail, in milliseconds. */
const LONGEST_MS = 30_000;

/**
 * @param {object} task
 * @param {() => Promise<boolean | void>} task.ask - false ends the asking
 * @param {(isAway: boolean) => void} [task.onAway] - told when answers stop or come back
 * @param {number} task.everyMs
 * @param {object} [world] - what the page gives; a test gives its own
 * @param {(ms: number) => Promise<void>} [world.wait]
 * @param {() => Promise<void>} [world.seen] - resolves when the page can be seen
 * @returns {Promise<void>} when `ask` said false
 */
export async function poll({ ask, onAway = () => {}, everyMs }, world = {}) {
  const { wait = sleep, seen = untilSeen } = world;
  let failures = 0;
  for (;;) {
    await wait(Math.min(everyMs * 2 ** failures, LONGEST_MS));
    await seen();
    try {
      if ((await ask()) === false) return;
      if (failures > 0) onAway(false);
      failures = 0;
    } catch {
      failures += 1;
      onAway(true);
    }
  }
}

/** @param {number} ms */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function untilSeen() {
  while (document.visibilityState !== "visible") {
    await new Promise((done) =>
      document.addEventListener("visibilitychange", done, { once: true }),
    );
  }
}
