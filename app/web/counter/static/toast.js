// @ts-check
/**
 * One short sentence at the foot of the page, for four seconds.
 *
 * @module counter/toast
 */

import { say } from "./words.js";

/**
 * @param {HTMLElement} place
 */
export function createToast(place) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (/** @type {string} */ words) => {
    clearTimeout(timer);
    const line = document.createElement("span"); // so that a name in it is no column
    say(line, words);
    // An open layer lies above all else, and so must this.
    const layers = document.querySelectorAll("dialog[open]");
    (layers[layers.length - 1] ?? document.body).append(place);
    place.replaceChildren(line);
    place.hidden = false;
    timer = setTimeout(() => {
      place.hidden = true;
    }, 4000);
  };
}
