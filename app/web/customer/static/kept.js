// @ts-check
/**
 * What a phone keeps of its card for times without a network: name, count and when.
 *
 * No code, no token, no name of a person; it proves nothing and can be seen by whoever
 * holds the phone, as the card itself can.
 *
 * @module customer/kept
 */

const KEY = "punchproof-card";

/** @typedef {{ title: string, stamps: string, required: string, at: number }} Kept */

/**
 * @param {DOMStringMap} shown - title, stamps and required of the face
 * @param {number} at - when the server last said so, in milliseconds
 */
export function keep({ title = "", stamps = "", required = "" }, at) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ title, stamps, required, at }));
  } catch {
    // Without storage the page for no network has no card on it.
  }
}

/** Keep nothing any more: the card is not this phone's. */
export function forget() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // There is nothing then.
  }
}

/** @returns {Kept | null} */
export function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    return found && Number.isFinite(found.at) ? found : null;
  } catch {
    return null;
  }
}

/**
 * An age in the page's language: "5 minutes ago"; "" below one minute.
 *
 * @param {number} then - milliseconds
 * @param {number} now - milliseconds
 * @param {string} [language]
 */
export function ago(then, now, language = document.documentElement.lang) {
  const minutes = Math.max(0, Math.round((now - then) / 60_000));
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (minutes < 1) return "";
  if (minutes < 60) return words.format(-minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? words.format(-hours, "hour") : words.format(-Math.round(hours / 24), "day");
}
