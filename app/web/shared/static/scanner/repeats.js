// @ts-check
/**
 * Say each code once while it stays in the picture.
 *
 * A camera reads the same code many times a second. A text is news when it was not
 * seen for `gone` milliseconds; two codes side by side do not take turns. After
 * `hold()` nothing is news until the picture was empty for `clear` milliseconds: a
 * phone that shows its next code by itself must not be scanned a second time. Who held
 * theirs up too early is scanned `gone` milliseconds after that, without a third try.
 *
 * @module scanner/repeats
 *
 * @typedef {ReturnType<typeof createRepeats>} Repeats
 */

/**
 * @param {{ gone?: number, clear?: number }} [options] - ms
 */
export function createRepeats({ gone = 1500, clear = 600 } = {}) {
  /** @type {Map<string, number>} text -> when last seen, ms */
  const seen = new Map();
  /** What was held up while held, and never said. @type {Map<string, number>} */
  const early = new Map();
  let held = false;
  let emptySince = -1;

  return {
    /**
     * @param {string | null} text - what this picture holds; null for nothing
     * @param {number} now - ms, any clock that does not jump
     * @returns {boolean} true when it should be reported
     */
    isNews(text, now) {
      if (held) held = !isClear(text, now);
      for (const each of [seen, early])
        for (const [old, at] of each) if (now - at >= gone) each.delete(old);
      if (text === null) return false;
      const isKnown = seen.has(text);
      if (isKnown || !(held || early.has(text))) seen.set(text, now);
      else if (held) early.set(text, now);
      return seen.has(text) && !isKnown;
    },
    /** Nothing is news until the picture has been empty. */
    hold() {
      held = true;
      emptySince = -1;
    },
    isHeld: () => held,
    /** @param {number} ms - time that nobody looked: it does not count as gone */
    skip(ms) {
      for (const each of [seen, early])
        for (const [text, at] of each) each.set(text, at + ms);
    },
    forget() {
      seen.clear();
      early.clear();
      held = false;
    },
  };

  /**
   * @param {string | null} text
   * @param {number} now
   */
  function isClear(text, now) {
    if (text !== null) emptySince = -1;
    else if (emptySince < 0) emptySince = now;
    return emptySince >= 0 && now - emptySince >= clear;
  }
}
