// @ts-check
/**
 * Which vouchers can still be used, as far as a phone without a network can tell.
 *
 * @module customer/usable
 *
 * @typedef {object} Waiting - a reward that waits
 * @property {string} reward
 * @property {string} until - "Good until 3 May", or "" where it has no end
 * @property {number | null} ends - ms, its last second
 *
 * @param {import("./last-seen.js").Seen} seen
 * @param {number} now - ms
 * @returns {Waiting[]}
 */
export const usable = ({ vouchers }, now) =>
  vouchers
    // As they were kept before vouchers could end.
    .map((each) => (typeof each === "string" ? { reward: each, until: "", ends: null } : each))
    .filter(({ ends }) => ends === null || now <= ends + 999);
