// @ts-check
/**
 * Bring one scanned or typed code to the right door.
 *
 * One scan is one request id, however often it is tried and whichever door takes it:
 * the server counts it once (app/programme/codes.py).
 *
 * @module counter/spend
 *
 * @typedef {{ status: number, body: any, retryAfter: number, unsure: boolean }} Answer
 * @typedef {(path: string, body: object) => Promise<Answer>} Post - tries again by itself
 */

/**
 * @param {{ kind: string, code: string, amount?: number }} read - a card, a voucher (of
 *   money: with how much is used), a short code, or a card that nobody showed: kind
 *   "hand", and its id for a code
 * @param {number} stamps - 1 to 5; a voucher needs none
 * @param {{ post: Post, newId?: () => string, order?: import("./basket.js").Order }} world -
 *   `order`: what was bought
 * @returns {Promise<{ door: "stamps" | "redemptions", answer: Answer }>}
 */
export async function spend({ kind, code, amount }, stamps, { post, newId = requestId, order = {} }) {
  const request_id = newId();
  const redeem = async () => ({
    door: /** @type {const} */ ("redemptions"),
    answer: await post("/api/v1/redemptions", {
      code,
      request_id,
      ...(amount ? { amount } : {}),
    }),
  });
  if (kind === "voucher") return redeem();
  if (kind === "hand") {
    const body = { card_id: code, stamps, request_id, ...order };
    return { door: "stamps", answer: await post("/api/v1/hand-stamps", body) };
  }
  const answer = await post("/api/v1/stamps", { code, stamps, request_id, ...order });
  // Seven characters do not tell what they stand for; the server does.
  if (kind === "short" && answer.body?.code === "code_wrong_kind") return redeem();
  return { door: "stamps", answer };
}

/** @returns {string} 32 hex digits; randomUUID is missing on a page without https */
export function requestId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
