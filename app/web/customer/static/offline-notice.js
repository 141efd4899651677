// @ts-check
/**
 * The line on the card's page that says how old the card is which one sees without a
 * network.
 *
 * @module customer/offline-notice
 */

import { howOld } from "./last-seen.js";

const LOOK_MS = 20_000;

/**
 * @param {HTMLElement} place
 * @param {object} page
 * @param {string} page.sentence - with {age} in braces
 * @param {string} page.lang - BCP 47
 * @param {() => number} [page.now]
 */
export function offlineNotice(place, { sentence, lang, now = Date.now }) {
  /** When the server last answered, in milliseconds of this phone's clock. */
  let last = now();

  function say() {
    const said = place.querySelector("[data-said]");
    if (!said || place.hidden) return;
    said.textContent = sentence.replace("{age}", howOld(last, now(), lang));
  }

  setInterval(say, LOOK_MS);
  return {
    /** The server has just answered. */
    heard() {
      last = now();
      place.hidden = true;
    },
    /** @param {boolean} isOffline */
    show(isOffline) {
      place.hidden = !isOffline;
      say();
    },
  };
}
