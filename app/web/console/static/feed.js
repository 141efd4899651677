// @ts-check
/**
 * Ask the server what happened since the last time.
 *
 * The server sends the last half minute again (app/programme/feed.py), so lines that
 * the page has are left out here. Nothing new is a 304 without a body.
 *
 * @module console/feed
 */

/**
 * @typedef {{ id: string, html: string }} Line
 * @typedef {{ after: string, figures: Record<string, string>, alarms: string, places: Record<string, number>, lines: Line[] }} News
 *
 * @param {object} start
 * @param {string} start.url - the feed's address, perhaps with a query
 * @param {string} start.after - the moment of the newest line on the page, ISO 8601
 * @param {Iterable<string>} start.known - ids of the lines on the page
 * @param {object} [world] - what the page gives; a test gives its own
 * @param {typeof fetch} [world.fetch]
 * @returns {() => Promise<News | null>} asks once; null when nothing is new. Throws
 *   when there was no answer, or none that says anything.
 */
export function newsFrom({ url, after, known }, world = {}) {
  const { fetch = globalThis.fetch.bind(globalThis) } = world;
  const seen = new Set(known);
  let tag = "";
  return async () => {
    const joint = url.includes("?") ? "&" : "?";
    const response = await fetch(`${url}${joint}after=${encodeURIComponent(after)}`, {
      headers: { Accept: "application/json", ...(tag && { "If-None-Match": tag }) },
    });
    if (response.status === 304) return null;
    if (!response.ok) throw new Error(`the feed answered ${response.status}`);
    /** @type {News} */
    const news = await response.json();
    tag = response.headers.get("ETag") ?? "";
    after = news.after;
    const lines = news.lines.filter((line) => !seen.has(line.id));
    for (const line of lines) seen.add(line.id);
    return { ...news, lines };
  };
}
