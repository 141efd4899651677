// @ts-check
/**
 * Ask the server as the person at the till; when their session has ended, ask them for
 * the PIN over the page and go on with the very same request, so that nothing is lost.
 *
 * @module counter/session
 *
 * @typedef {import("./spend.js").Answer} Answer
 * @typedef {(method: string, path: string, body?: object | null, options?: any) => Promise<Answer>} Call
 *   `options.onSignIn` is told before the PIN is asked for, the rest is `shared/api`'s
 *
 * @param {object} world
 * @param {Call} world.call
 * @param {() => Promise<unknown>} world.signIn - settles when somebody signed in
 * @returns {Call}
 */
export function createSession({ call, signIn }) {
  /** @type {Promise<unknown> | null} */
  let asking = null;
  return async (method, path, body = null, options = {}) => {
    for (;;) {
      const answer = await call(method, path, body, options);
      if (answer.status !== 401) return answer;
      options.onSignIn?.();
      // Two requests at once ask once.
      asking ??= signIn().finally(() => {
        asking = null;
      });
      await asking;
    }
  };
}
