// @ts-check
/**
 * Ask the server for a code to show, and say trouble in the page's words.
 *
 * @module customer/issue
 */

import { Refusal } from "./renewal.js";

/**
 * @param {(method: string, path: string, body?: object | null) => Promise<{ status: number, body: any }>} call
 * @param {string} path - of the card's or voucher's code
 * @param {Record<string, string>} texts
 * @returns {() => Promise<import("./renewal.js").Issued>}
 */
export function issuer(call, path, texts) {
  return async () => {
    const { status, body } = await call("POST", `${path}?picture=svg`);
    if (status === 200 || status === 201) return body;
    if (status === 0) throw new Error(texts.no_network);
    if (status === 401) throw new Refusal(texts.signed_out);
    if (status === 429) throw new Error(texts.slow_down);
    if (status >= 500) throw new Error(texts.busy);
    throw new Refusal(body?.detail ?? texts.busy);
  };
}
