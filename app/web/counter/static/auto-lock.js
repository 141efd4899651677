// @ts-check
/**
 * Lock a till that nobody has touched for a while, so that it works in nobody's name.
 *
 * Never in the middle of a result, and neither a reload nor a second tab opens it: the
 * device keeps that it is locked until somebody has typed a PIN.
 *
 * @module counter/auto-lock
 */

/** Untouched for so long, ms: a quiet hour locks, a quiet quarter of one too. */
export const LOCK_MS = 10 * 60_000;
const KEY = "punchproof-locked";
const LOOK_MS = 1000;

/** Somebody signed in. @param {Pick<Storage, "removeItem">} storage */
export const opened = (storage) => storage.removeItem(KEY);

/**
 * @param {object} world
 * @param {EventTarget} world.page - whose touches and keys count
 * @param {Storage} world.storage - of the device
 * @param {() => boolean} world.isBusy - something is under way
 * @param {() => Promise<unknown>} world.lock - settles when somebody has signed in
 * @param {number} [world.after] - ms
 * @param {() => number} [world.now]
 */
export function createAutoLock({ page, storage, isBusy, lock, after = LOCK_MS, now = Date.now }) {
  let touched = now();
  let isLocked = false;

  async function close() {
    isLocked = true;
    storage.setItem(KEY, "1");
    await lock();
    opened(storage);
    isLocked = false;
    touched = now();
  }

  function look() {
    if (isBusy()) touched = now();
    else if (!isLocked && now() - touched >= after) void close();
  }

  const touch = () => {
    touched = now();
  };
  for (const kind of ["pointerdown", "keydown"]) {
    page.addEventListener(kind, touch, { capture: true, passive: true });
  }
  return {
    look,
    isLocked: () => isLocked,
    /** A scan is a touch too. */
    touch,
    /** At the start: a tab that was locked is so again. */
    begin() {
      setInterval(look, LOOK_MS);
      if (storage.getItem(KEY)) void close();
    },
    now: () => void (isLocked || close()),
  };
}
