// @ts-check
/**
 * The way of a passkey: asks the server, then the browser, then the server.
 *
 * @module customer/passkey-way
 */

import { answerOf, optionsOf } from "./passkey-json.js";

const WAYS = {
  add: { offer: "/account/passkeys/offer", give: "/account/passkeys", verb: "create" },
  "sign-in": { offer: "/sign-in/passkey/offer", give: "/sign-in/passkey", verb: "get" },
};

/**
 * @typedef {object} World
 * @property {(method: string, path: string, body?: object | null) => Promise<{ status: number, body: any }>} call
 * @property {{ create: (options: any) => Promise<any>, get: (options: any) => Promise<any> }} credentials
 * @property {(path: string) => void} go
 */

/**
 * @param {"add" | "sign-in"} name
 * @param {Record<string, string>} texts
 * @param {World} world
 * @returns {Promise<string>} what went wrong; "" when the next page opens
 */
export async function use(name, texts, world) {
  const way = WAYS[name];
  const offer = await world.call("POST", way.offer, {});
  if (offer.status !== 200) return trouble(offer, texts);
  let made;
  try {
    made = await world.credentials[/** @type {"create" | "get"} */ (way.verb)]({
      publicKey: optionsOf(offer.body.options),
    });
  } catch (error) {
    // What the browser throws when it holds one already; else somebody said no.
    const known = /** @type {Error} */ (error).name === "InvalidStateError";
    return known ? texts.known : texts.given_up;
  }
  if (!made) return texts.given_up;
  const given = await world.call("POST", way.give, { answer: answerOf(made), seal: offer.body.seal });
  if (given.status !== 200) return trouble(given, texts);
  world.go(given.body.next);
  return "";
}

/**
 * @param {{ status: number, body: any }} answer
 * @param {Record<string, string>} texts
 */
function trouble({ status, body }, texts) {
  if (status === 0) return texts.no_network;
  return body?.fields?.passkey ?? body?.detail ?? texts.busy;
}
