// @ts-check
/**
 * From one card to the next with a finger. The tabs above do the same, and they are what
 * a keyboard and a screen reader use.
 *
 * @module customer/swipe
 */

const FAR_PX = 56;
const LEAVES_MS = 180;

/**
 * Which way a finger went.
 *
 * @param {{ x: number, y: number }} from
 * @param {{ x: number, y: number }} to
 * @param {boolean} rtl - the page reads from right to left
 * @returns {-1 | 0 | 1} to the card before, nowhere, to the next
 */
export function way(from, to, rtl) {
  const [x, y] = [to.x - from.x, to.y - from.y];
  if (Math.abs(x) < FAR_PX || Math.abs(x) < 1.6 * Math.abs(y)) return 0;
  return (x < 0) === rtl ? -1 : 1;
}

/**
 * @param {HTMLElement} face - holds the card, also after it was replaced
 * @param {Element[]} tabs - links, one of them current
 */
export function swipes(face, tabs) {
  const at = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
  if (at < 0) return;
  /** @type {{ x: number, y: number } | null} */
  let from = null;
  const where = (/** @type {TouchEvent} */ event) => {
    const { clientX: x, clientY: y } = event.changedTouches[0];
    return { x, y };
  };
  face.addEventListener("touchstart", (event) => {
    const onCard = /** @type {Element} */ (event.target).closest("[data-card-shown]");
    from = onCard && event.touches.length === 1 ? where(event) : null;
  }, { passive: true });
  face.addEventListener("touchend", (event) => {
    if (!from) return;
    const rtl = document.dir === "rtl";
    const step = way(from, where(event), rtl);
    const next = /** @type {HTMLAnchorElement | undefined} */ (tabs[at + step]);
    from = null;
    if (!step || !next) return;
    const card = /** @type {HTMLElement | null} */ (face.querySelector("[data-card-shown]"));
    card?.style.setProperty("--way", String((rtl ? 1 : -1) * step));
    card?.classList.add("leaves");
    setTimeout(() => next.click(), LEAVES_MS);
  }, { passive: true });
}
