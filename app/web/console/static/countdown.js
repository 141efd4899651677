// @ts-check
/**
 * Minutes and seconds that are left, as people read them.
 *
 * @param {number} seconds
 * @returns {string} "9:05"; never below "0:00"
 */
export function clock(seconds) {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
