// @ts-check
/**
 * Put values into the server's sentences, in the page's language.
 *
 * @module counter/words
 */

/**
 * @param {string} sentence - with {names} in braces
 * @param {Record<string, string | number>} values
 * @returns {string} texts are isolated, so that a name in another script does not turn
 *   the sentence round
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? String(value) : `\u2068${value}\u2069`;
  });
}

/**
 * Write a filled sentence into the page; what was isolated becomes `<bdi>`.
 *
 * @param {Element} place
 * @param {string} words
 */
export function say(place, words) {
  const pieces = words.split(/\u2068(.*?)\u2069/);
  const nodes = pieces.map((piece, index) => {
    if (index % 2 === 0) return piece;
    const isolated = document.createElement("bdi");
    isolated.textContent = piece;
    return isolated;
  });
  place.replaceChildren(...nodes.filter((node) => node !== ""));
}

/**
 * @param {Date} at
 * @param {Date} now
 * @param {string} [lang] - BCP 47
 * @returns {string} "08:12" today, "18 Nov, 08:12" on another day
 */
export function clock(at, now, lang) {
  const isToday = at.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(lang, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(isToday ? {} : { day: "numeric", month: "short" }),
  }).format(at);
}

/**
 * @param {number} seconds
 * @param {string} [lang]
 * @returns {string} "45 seconds", "5 minutes", "3 hours"; rounded up
 */
export function howLong(seconds, lang) {
  const [unit, size] =
    seconds < 60 ? ["second", 1] : seconds < 5400 ? ["minute", 60] : ["hour", 3600];
  const style = { style: "unit", unit, unitDisplay: "long" };
  return new Intl.NumberFormat(
    lang,
    /** @type {Intl.NumberFormatOptions} */ (style),
  ).format(Math.ceil(seconds / Number(size)));
}

/**
 * @param {string} id - of a JSON script element
 * @returns {any}
 */
export const pageData = (id) =>
  JSON.parse(document.getElementById(id)?.textContent ?? "null");

/**
 * The part of a page that the template promises to be there.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {T}
 */
export function part(root, selector) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`no ${selector} in the page`);
  return /** @type {T} */ (found);
}
