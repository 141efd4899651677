// @ts-check
/**
 * Ask for a card again and again, and say when it changed.
 *
 * Each question carries the ETag of the last answer, so an unchanged card costs one
 * short 304. Nothing is asked while the page is hidden. Trouble is told after the
 * second failure in a row (one lost packet is nobody's business) and taken back by the
 * next answer.
 *
 * @module customer/poll
 */

const TROUBLE_AFTER = 2;
const LONGEST_MS = 15_000;

/**
 * @param {object} world
 * @param {string} world.url
 * @param {string} world.tag - of the card as the page shows it
 * @param {(card: any) => void | Promise<void>} world.onChange - given the new body; awaited before the next question
 * @param {(headers: Headers) => void} [world.onAnswer] - of every answer, changed or not
 * @param {(offline: boolean) => void} [world.onTrouble]
 * @param {() => void} [world.onGone] - 401, 403 or 404: it is no longer ours to see
 * @param {typeof fetch} world.fetch
 * @param {(ms: number, then: () => void) => () => void} world.after
 */
export function poll({ url, tag, onChange, onAnswer, onTrouble, onGone, fetch, after }) {
  let etag = `"${tag}"`;
  let every = 0;
  let failures = 0;
  let asking = false;
  let again = false;
  let cancel = () => {};

  async function ask() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    cancel();
    try {
      const answer = await fetch(url, {
        headers: { "If-None-Match": etag, Accept: "application/json" },
        cache: "no-store",
      });
      await take(answer);
    } catch {
      failed();
    } finally {
      asking = false;
    }
    if (!every) return;
    const wait = again ? 0 : Math.min(every * 2 ** Math.min(failures, 4), Math.max(every, LONGEST_MS));
    again = false;
    cancel = after(wait, ask);
  }

  /** @param {Response} answer */
  async function take(answer) {
    if ([401, 403, 404].includes(answer.status)) {
      every = 0;
      onGone?.();
      return;
    }
    if (answer.status !== 304 && !answer.ok) return failed();
    if (failures >= TROUBLE_AFTER) onTrouble?.(false);
    failures = 0;
    onAnswer?.(answer.headers);
    if (answer.status === 304) return;
    const body = await answer.json();
    await onChange(body);
    // Only now: when the page could not take the news, the next answer brings it again.
    etag = answer.headers.get("ETag") ?? `"${body.version}"`;
  }

  function failed() {
    failures += 1;
    if (failures === TROUBLE_AFTER) onTrouble?.(true);
  }

  return {
    /** @param {number} ms - from now on ask this often, and once at once; 0 stops */
    pace(ms) {
      every = ms;
      cancel();
      if (ms) void ask();
    },
  };
}
