// @ts-check
/**
 * Sums of money and lists of things, in the page's language.
 *
 * @module counter/money
 */

/**
 * @param {number} minor - in minor units
 * @param {string} currency - ISO 4217
 * @param {string} [lang] - BCP 47
 * @returns {string} "€3.50"
 */
export function money(minor, currency, lang) {
  const how = new Intl.NumberFormat(lang, { style: "currency", currency });
  const digits = how.resolvedOptions().maximumFractionDigits ?? 2;
  return how.format(minor / 10 ** digits);
}

/**
 * @param {{ name: string | null, quantity: number }[]} lines - of a purchase
 * @param {string} other - what to say of a line without an item
 * @returns {string[]} "2 × Coffee"
 */
export const things = (lines, other) =>
  lines.map(({ name, quantity }) => {
    const what = name === null ? other : `\u2068${name}\u2069`;
    return quantity > 1 ? `${quantity} × ${what}` : what;
  });

/**
 * @param {{ amount: number, currency: string, lines: { name: string | null, quantity: number }[] }} purchase
 * @param {any} t - the till's sentences of sales
 * @param {string} [lang]
 * @returns {string} "2 × Coffee, Cake · €11.00"
 */
export function bought({ amount, currency, lines }, t, lang) {
  const items = lines.filter(({ name }) => name !== null);
  const listed = new Intl.ListFormat(lang, { type: "unit", style: "short" });
  const what = listed.format(things(items, t.other));
  return [what, money(amount, currency, lang)].filter(Boolean).join(" · ");
}
