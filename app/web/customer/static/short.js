// @ts-check
/**
 * A typed code as people read it out: "4KD7QX2" is "4KD7 · QX2".
 *
 * @module customer/short
 */

const HEAD = 4;

/**
 * @param {string | null | undefined} code - seven characters, or nothing
 * @returns {string} the code in two groups, or "" when there is none
 */
export function inGroups(code) {
  const plain = (code ?? "").replace(/[^0-9a-z]/gi, "").toUpperCase();
  if (plain.length <= HEAD) return plain;
  return `${plain.slice(0, HEAD)} · ${plain.slice(HEAD)}`;
}

/**
 * What a screen reader says: each character by itself, or it makes words of them.
 *
 * @param {string | null | undefined} code
 * @returns {string}
 */
export function spelled(code) {
  return inGroups(code).replace(/ · /, "").split("").join(" ");
}
