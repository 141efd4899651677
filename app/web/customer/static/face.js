// @ts-check
/**
 * Put the card's newest face in place of the one that is shown.
 *
 * @module customer/face
 */

import { newsIn } from "./news.js";

/**
 * @param {HTMLElement} face - holds the fragment
 * @param {string} cardId
 * @param {typeof fetch} fetch
 * @returns {Promise<import("./news.js").News | null>} what came since the face shown before
 * @throws {Error} when the server did not give it: the caller asks again later
 */
export async function fetchFace(face, cardId, fetch) {
  const before = /** @type {HTMLElement} */ (face.firstElementChild);
  const after = encodeURIComponent(before.dataset.entry ?? "");
  const answer = await fetch(`/card/${cardId}/face?after=${after}`, { cache: "no-store" });
  if (!answer.ok || answer.redirected) throw new Error(`face: ${answer.status}`);
  const fresh = document.createElement("template");
  fresh.innerHTML = await answer.text();
  const news = newsIn(fresh.content);
  // Where the reader was: a replaced link must not throw the focus to the top.
  const href = face.contains(document.activeElement)
    ? document.activeElement?.getAttribute("href")
    : null;
  face.replaceChildren(fresh.content);
  if (href) {
    const same = [...face.querySelectorAll("a")].find((a) => a.getAttribute("href") === href);
    same?.focus({ preventScroll: true });
  }
  return news;
}
