// @ts-check
/**
 * Collect a till's code on a card. Asked again until somebody answers: the card is the
 * request, so the server counts once however often it hears it.
 *
 * @module customer/collect
 */

/**
 * @typedef {{ isGiven: boolean, title?: string, detail?: string }} Collected
 *
 * @param {object} what
 * @param {(method: string, path: string, body: object, options: object) => Promise<{ status: number, body: any }>} what.call
 * @param {string} what.cardId
 * @param {string} what.code
 * @param {AbortSignal} what.signal - the person gave up waiting
 * @param {() => void} what.onWait - the first time nobody answered
 * @returns {Promise<Collected>}
 */
export async function collect({ call, cardId, code, signal, onWait }) {
  let told = false;
  const tell = () => {
    if (!told) onWait();
    told = true;
  };
  const path = `/api/v1/cards/${cardId}/stamps`;
  const { status, body } = await call("POST", path, { code }, { retry: true, signal, onWait: tell });
  if (status === 200 || status === 201) return { isGiven: true };
  return { isGiven: false, title: body?.title, detail: body?.detail };
}
