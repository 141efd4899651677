// @ts-check
/**
 * A voucher's end passes while nobody can be asked: the page says so by itself.
 *
 * With a network the server's word is taken, and this changes nothing; without one the
 * phone's clock is the only one there is. What was shown as over comes back when the
 * server says that it is not.
 *
 * @module customer/ends
 *
 * @param {ParentNode} face
 * @param {number} now - ms; -Infinity: nothing is over
 */
export function showEnded(face, now) {
  for (const each of face.querySelectorAll("[data-until]")) {
    const shown = /** @type {HTMLElement} */ (each);
    const isOver = now > Date.parse(shown.dataset.until ?? "") + 999;
    if (shown.matches("a")) {
      shown.hidden = isOver;
      continue;
    }
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (shown.querySelectorAll(".voucher__ends, .btn")))
      part.hidden = part.classList.contains("voucher__over") ? !isOver : isOver;
  }
}
