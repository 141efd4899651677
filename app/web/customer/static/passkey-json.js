// @ts-check
/**
 * Between the server's JSON and what `navigator.credentials` takes and gives: bytes are
 * base64url in the one and buffers in the other.
 *
 * @module customer/passkey-json
 */

/**
 * @param {string} text - base64url
 * @returns {Uint8Array}
 */
export function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {string} base64url
 */
export function text(buffer) {
  const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return plain.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {any} options - as the server sends them
 * @returns {any} as the browser takes them
 */
export function optionsOf(options) {
  const known = (/** @type {any[] | undefined} */ list) => list?.map((each) => ({ ...each, id: bytes(each.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
  };
}

/**
 * @param {any} made - a PublicKeyCredential
 * @returns {object} as the server takes it
 */
export function answerOf(made) {
  const { response } = made;
  const part = (/** @type {string} */ name) => (response[name] ? { [name]: text(response[name]) } : {});
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    clientExtensionResults: {},
    response: {
      ...part("clientDataJSON"),
      ...part("attestationObject"),
      ...part("authenticatorData"),
      ...part("signature"),
      ...part("userHandle"),
    },
  };
}
