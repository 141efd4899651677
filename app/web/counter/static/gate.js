// @ts-check
/**
 * One thing at a time: while something is under way, or a layer lies over the page, the
 * camera looks away.
 *
 * @module counter/gate
 *
 * @typedef {{ pause: () => void, resume: (how: { again: boolean, whenClear: boolean }) => void }} Camera
 */

/** Moods after which the phone that was served is still before the camera. */
const SERVED = ["given", "practice"];

/**
 * @param {object} page
 * @param {() => boolean} page.isCovered - a layer is open
 * @param {() => void} page.onFree - what was under way has come to its end
 */
export function createGate({ isCovered, onFree }) {
  let isBusy = false;
  /** @type {Camera | null} */
  let camera = null;

  /** The camera looks only when nothing is under way and nothing lies over it. */
  function look(whenClear = false) {
    if (isBusy || isCovered()) camera?.pause();
    else camera?.resume({ again: false, whenClear });
  }

  return {
    look,
    isBusy: () => isBusy,
    /** Nothing is under way, and nothing would be covered. */
    isFree: () => !isBusy && !isCovered(),
    /** @param {Camera} opened - the camera, which takes a while to open */
    watch(opened) {
      camera = opened;
      look();
    },
    /** @param {() => Promise<{ mood: string } | void>} work - one at a time */
    async alone(work) {
      isBusy = true;
      look();
      const last = await work().finally(() => {
        isBusy = false;
      });
      // The phone that was served shows its next code soon: wait until it is gone.
      look(SERVED.includes(last?.mood ?? ""));
      onFree();
    },
  };
}
