// @ts-check
/**
 * What a scanned or typed text is, as far as the text itself tells.
 *
 * The first byte of a code names its kind; that is enough to knock at the right door
 * and to tell a person what they hold. It proves nothing: the server decides.
 *
 * @module scanner/code-text
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; // RFC 4648 base32
const WHOLE = /^[A-Z2-7]{128}$/;
const IN_URL = /\/S\/([A-Z2-7]{128})(?:[/?#].*)?$/;
const SHORT = /^[A-Z0-9]{7}$/;

/** Format 1 in the high four bits, kind in the low four. */
const KINDS = /** @type {const} */ ({
  0x11: "card",
  0x12: "stamp",
  0x13: "voucher",
  0x14: "printed",
  0x15: "enrolment",
});

/**
 * @typedef {"card" | "stamp" | "voucher" | "printed" | "enrolment" | "short" | "newer"} Kind
 *   `short`: seven typed characters, kind unknown; `newer`: our shape, a format or kind
 *   that this page does not know
 * @typedef {{ kind: Kind, code: string }} Read - `code` as the server takes it
 *
 * @param {string} text - from a camera, a scanner that types, or a person; not trusted
 * @returns {Read | null} null when it is no code of ours
 */
export function readCode(text) {
  const upper = text.trim().toUpperCase();
  const code = WHOLE.test(upper) ? upper : IN_URL.exec(upper)?.[1];
  if (code) return { kind: kindOf(code), code };
  const short = upper.replace(/[\s\-–·.]/g, "");
  return SHORT.test(short) ? { kind: "short", code: short } : null;
}

/**
 * @param {string} code - base32, upper case
 * @returns {Kind}
 */
function kindOf(code) {
  const byte = (ALPHABET.indexOf(code[0]) << 3) | (ALPHABET.indexOf(code[1]) >> 2);
  return KINDS[/** @type {keyof typeof KINDS} */ (byte)] ?? "newer";
}
