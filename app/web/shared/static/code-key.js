// @ts-check
/**
 * Which signing key made a code: bytes 2 and 3 of it, in base32.
 *
 * @module shared/code-key
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648 base32
// Five characters hold 25 bits: the 24 of the first three bytes, and one more.
const CHARACTERS = 5;

/**
 * @param {string} code - 128 characters, upper case
 * @returns {number} the key's id, 0 to 65535
 */
export function keyOf(code) {
  let bits = 0;
  for (const character of code.slice(0, CHARACTERS)) bits = bits * 32 + ALPHABET.indexOf(character);
  return (bits >> 1) & 0xffff;
}
