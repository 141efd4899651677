// @ts-check
/**
 * Browsers give a page its voice with the first tap: until then, say so.
 *
 * @module counter/sound-hint
 */

const LOOK_MS = 1000;

/**
 * @param {HTMLElement} hint
 * @param {{ unlock: () => void, isLocked: () => boolean }} sound
 */
export function hintAtSound(hint, sound) {
  sound.unlock();
  setInterval(() => {
    hint.hidden = !sound.isLocked();
  }, LOOK_MS);
}
