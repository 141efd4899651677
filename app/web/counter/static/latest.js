// @ts-check
/**
 * The last five that this till gave, each with its undo.
 *
 * Kept in the tab, without any code: enough to take back a mistake, gone with the tab.
 *
 * @module counter/latest
 *
 * @typedef {import("./outcome.js").Undoable & { at: number, isUndone: boolean }} Line
 */

import { clock, fill, part, say } from "./words.js";

const MOST = 5;
const KEY = "punchproof-latest";

/**
 * @param {Line[]} lines - newest first
 * @param {Line} line
 * @returns {Line[]} once each, newest first, five at most
 */
export const withLine = (lines, line) =>
  [line, ...lines.filter(({ id }) => id !== line.id)].slice(0, MOST);

/**
 * @param {Line[]} lines
 * @param {string} id
 * @returns {Line[]}
 */
export const withUndone = (lines, id) =>
  lines.map((line) => (line.id === id ? { ...line, isUndone: true } : line));

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} page
 * @param {any} page.texts
 * @param {string} page.lang
 * @param {Storage} page.storage
 * @param {(line: Line) => void} page.onUndo
 */
export function createLatest(dialog, { texts, lang, storage, onUndo }) {
  const rows = part(dialog, "[data-rows]");
  const empty = part(dialog, "[data-empty]");

  /** @returns {Line[]} */
  const lines = () => JSON.parse(storage.getItem(KEY) ?? "[]");

  /** @param {Line[]} next */
  function keep(next) {
    storage.setItem(KEY, JSON.stringify(next));
    draw(next);
  }

  /** @param {Line[]} all */
  function draw(all) {
    empty.hidden = all.length > 0;
    rows.replaceChildren(...all.map(row));
  }

  /** @param {Line} line */
  function row(line) {
    const item = element("li", "list__row");
    const mark = element("span", "list__mark", line.count ? `\u2068+${line.count}\u2069` : "★");
    mark.setAttribute("aria-hidden", "true");
    const words = element("span", "latest__words");
    words.append(
      element("span", "latest__what", line.what),
      element("span", "soft small", clock(new Date(line.at), new Date(), lang)),
    );
    item.append(mark, words, line.isUndone ? undoneMark() : undoButton(line));
    return item;
  }

  const undoneMark = () => element("span", "chip", texts.undone);

  /** @param {Line} line */
  function undoButton(line) {
    const button = element("button", "btn btn--small", texts.undo);
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", fill(texts.undo_what, { what: line.what }));
    button.addEventListener("click", () => {
      dialog.close();
      onUndo(line);
    });
    return button;
  }

  return {
    open() {
      draw(lines());
      dialog.showModal();
    },
    /** @param {import("./outcome.js").Undoable} given */
    add: (given) =>
      keep(withLine(lines(), { ...given, at: Date.now(), isUndone: false })),
    /** @param {string} id */
    undone: (id) => keep(withUndone(lines(), id)),
    clear: () => storage.removeItem(KEY),
  };
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  say(made, text);
  return made;
}
