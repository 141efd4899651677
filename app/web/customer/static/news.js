// @ts-check
/**
 * A change of the card, shown: the whole screen in the result's colour with the new
 * stamp falling on it, or a line at the foot when the card itself is in view.
 *
 * The sentences are the server's: the fragment /card/<id>/face carries them in a
 * `<template data-news>` when something happened since the entry the page last knew.
 *
 * @module customer/news
 */

const STAYS_MS = 5_000;

/**
 * @typedef {{ kind: string, entry: string, content: DocumentFragment }} News
 *
 * @param {ParentNode} face - the fragment just fetched
 * @returns {News | null}
 */
export function newsIn(face) {
  const template = /** @type {HTMLTemplateElement | null} */ (
    face.querySelector("template[data-news]")
  );
  if (!template) return null;
  const { news = "", entry = "" } = template.dataset;
  return { kind: news, entry, content: template.content };
}

/**
 * @param {News} news
 * @param {object} world
 * @param {HTMLElement} world.host - where the screen is put, above the code layer
 * @param {(ms: number, then: () => void) => () => void} world.after
 * @param {() => void} world.onDone - the person has seen it
 * @returns {() => void} take it away now
 */
export function showNews(news, { host, after, onDone }) {
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  host.replaceChildren(news.content.cloneNode(true));
  host.hidden = false;
  const button = /** @type {HTMLButtonElement | null} */ (host.querySelector("button"));
  button?.focus({ preventScroll: true });
  let over = false;
  const done = () => {
    if (over) return;
    over = true;
    cancel();
    host.removeEventListener("click", done);
    host.hidden = true;
    host.replaceChildren();
    if (before?.isConnected) before.focus({ preventScroll: true });
    onDone();
  };
  const cancel = after(STAYS_MS, done);
  host.addEventListener("click", done);
  return done;
}
