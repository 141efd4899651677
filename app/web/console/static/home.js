// @ts-check
/** The live list of the first page: figures and lines change by themselves. */

import { newsFrom } from "./feed.js";
import { poll } from "./polling.js";

/** Lines kept on the page. */
const MOST_LINES = 60;

const live = /** @type {HTMLElement} */ (document.getElementById("live"));
const list = /** @type {HTMLElement} */ (document.getElementById("lines"));
const nothing = /** @type {HTMLElement} */ (document.getElementById("nothing"));
const alarms = /** @type {HTMLElement} */ (document.getElementById("alarms"));
const state = /** @type {HTMLElement} */ (document.getElementById("live-state"));
const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");

/** @returns {HTMLElement[]} */
const rows = () => [...list.querySelectorAll("[data-line]")].map((row) => /** @type {HTMLElement} */ (row));

/** @param {import("./feed.js").News} news */
function show(news) {
  for (const [name, text] of Object.entries(news.figures)) {
    put(`[data-figure="${name}"]`, text);
  }
  warn(news.alarms);
  for (const [place, stamps] of Object.entries(news.places)) {
    put(`[data-place="${place}"]`, String(stamps));
  }
  // Newest first; each goes before the first row that is older.
  for (const line of news.lines) {
    const template = document.createElement("template");
    template.innerHTML = line.html;
    const row = template.content.firstElementChild;
    if (!row) continue;
    row.classList.add("list__row--new");
    const older = rows().find((other) => moment(other) < moment(row));
    list.insertBefore(row, older ?? null);
  }
  for (const row of rows().slice(MOST_LINES)) row.remove();
  list.hidden = rows().length === 0;
  nothing.hidden = !list.hidden;
}

/**
 * Show what is wrong. What stands there already is left alone, or a screen reader
 * would say it again.
 *
 * @param {string} html
 */
function warn(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  if (template.content.textContent === alarms.textContent) return;
  alarms.replaceChildren(template.content);
  alarms.hidden = html === "";
}

/** @param {Element} row */
function moment(row) {
  return Date.parse(row.querySelector("time")?.dateTime ?? "");
}

/**
 * @param {string} selector
 * @param {string} text
 */
function put(selector, text) {
  const place = live.querySelector(selector);
  if (place && place.textContent !== text) place.textContent = text;
}

const ask = newsFrom({
  url: live.dataset.feed ?? "",
  after: live.dataset.after ?? "",
  known: rows().map((row) => row.dataset.line ?? ""),
});

poll({
  everyMs: 2000,
  ask: async () => {
    const news = await ask();
    if (news) show(news);
  },
  onAway: (isAway) => {
    state.classList.toggle("live--away", isAway);
    const word = state.querySelector(".live__word");
    if (word) word.textContent = isAway ? texts.away : texts.live;
  },
});
