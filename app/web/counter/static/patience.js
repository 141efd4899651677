// @ts-check
/**
 * Wait for the server, and say so: amber until it has answered, never green before.
 *
 * What was asked is asked again by itself; the person may stop it, or let a scan go on
 * behind the next customer. If a try went out unanswered the server may have counted it,
 * and the till says that too.
 *
 * @module counter/patience
 *
 * @typedef {import("./session.js").Call} Call
 * @typedef {import("./spend.js").Post} Post
 */

import { plain } from "./refusal.js";

/** A quick answer shows no waiting at all, ms. */
const QUICK_MS = 700;

/**
 * @param {"checking" | "network" | "busy" | "in_use"} reason
 * @param {any} texts
 * @param {boolean} [later]
 * @returns {import("./outcome.js").Screen}
 */
export const waitingFor = (reason, texts, later = false) => ({
  ...plain("waiting", texts.waiting[reason].title, [texts.waiting[reason].text]),
  later,
});

/**
 * @param {object} page
 * @param {Call} page.ask
 * @param {Pick<ReturnType<typeof import("./result-screen.js").createResultScreen>, "show" | "close">} page.screen
 * @param {any} page.texts
 * @param {number} [page.quick] - ms
 */
export function createPatience({ ask, screen, texts, quick = QUICK_MS }) {
  /**
   * @template T
   * @param {(post: Post) => Promise<T>} work
   * @param {{ later?: boolean }} [may] - `later`: somebody else goes on with it then
   * @returns {Promise<{ done: T, stopped: "", isLater?: false } | { done: null, stopped: string, isLater: boolean }>}
   */
  return async (work, { later = false } = {}) => {
    const stop = new AbortController();
    let isLater = false;
    let isUnsure = true; // until an answer says that nothing was counted
    const say = async (/** @type {Parameters<typeof waitingFor>[0]} */ reason) => {
      isUnsure ||= reason === "network";
      const choice = await screen.show(waitingFor(reason, texts, later));
      isLater = choice === "later";
      if (isLater || choice === "cancel") stop.abort();
    };
    const slow = setTimeout(() => void say("checking"), quick);
    /** @type {Post} */
    const post = async (path, body) => {
      const answer = await ask("POST", path, body, {
        retry: true,
        signal: stop.signal,
        onSignIn: () => {
          clearTimeout(slow); // the PIN pad must not be covered
          screen.close();
        },
        onWait: (/** @type {"network" | "busy" | "in_use"} */ reason) => {
          clearTimeout(slow);
          void say(reason);
        },
      });
      isUnsure = answer.unsure;
      return answer;
    };
    const done = await work(post);
    clearTimeout(slow);
    if (!stop.signal.aborted) return { done, stopped: "" };
    screen.close();
    const { stopped, stopped_unsure: unsure } = texts.waiting;
    return { done: null, stopped: isUnsure ? unsure : stopped, isLater };
  };
}
