// @ts-check
/**
 * Keep the screen on while a page shows or scans a code.
 *
 * The browser takes the lock away when the page is hidden, so it is asked for again
 * when the page comes back. A phone without wake locks, or one that saves power,
 * sleeps as usual: nothing depends on this.
 *
 * @module scanner/awake
 *
 * @returns {() => void} lets the screen sleep again
 */
export function keepAwake() {
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  let isWanted = true;

  async function ask() {
    if (!isWanted || document.visibilityState !== "visible") return;
    if (lock && !lock.released) return;
    try {
      lock = (await navigator.wakeLock?.request("screen")) ?? null;
      if (!isWanted) void lock?.release();
    } catch {
      lock = null; // low battery, or not allowed here
    }
  }

  document.addEventListener("visibilitychange", ask);
  void ask();
  return () => {
    isWanted = false;
    document.removeEventListener("visibilitychange", ask);
    void lock?.release();
  };
}
