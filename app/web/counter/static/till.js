// @ts-check
/**
 * The till at work: wires the scanner, the server and the screens to each other.
 *
 * One code at a time. While one is under way or a layer is open, the camera looks away.
 *
 * @module counter/till
 */

import { call } from "/static/shared/api.js";
import { readCode } from "/static/shared/scanner/code-text.js";
import { startScanner } from "/static/shared/scanner/scanner.js";
import * as sound from "/static/shared/sound.js";
import { createDesk } from "./desk.js";
import { createLatest } from "./latest.js";
import { collectedOf, outcomeOf, undoneOf } from "./outcome.js";
import { createPatience } from "./patience.js";
import { createQuantity } from "./quantity.js";
import { notForTills, refusalOf } from "./refusal.js";
import { createResultScreen } from "./result-screen.js";
import { createShow } from "./show.js";
import { spend } from "./spend.js";
import { createToast } from "./toast.js";
import { createTyped } from "./typed.js";
import { createView } from "./view.js";
import { listenToWedge } from "./wedge.js";
import { pageData, part } from "./words.js";

const texts = pageData("texts");
const { lang } = document.documentElement;
const speech = { texts, lang };
const dialog = (/** @type {string} */ id) =>
  /** @type {HTMLDialogElement} */ (part(document, `#${id}`));

const root = part(document, "#main");
const toast = createToast(part(document, "#toast"));
const quantity = createQuantity(part(root, "[data-quantity]"));
const screen = createResultScreen(dialog("result"), { texts, sound });
const desk = createDesk({ texts, lang, call, dialog, onSignOut: () => latest.clear() });
const patience = createPatience({ ask: desk.ask, screen, texts });
const latest = createLatest(dialog("latest"), {
  texts: texts.latest,
  lang,
  storage: sessionStorage,
  onUndo: (line) => void alone(() => undo(line)),
});
const typed = createTyped(dialog("typed"), {
  onText: (text) => readCode(text) !== null && (void take(text, true), true),
  unreadable: texts.unreadable,
});
const show = createShow(dialog("show"), {
  ask: desk.ask,
  call,
  texts: texts.stamp_code,
  onCollected: (shown, state) => void collected(shown.stamps, state),
});

let isBusy = false;
/** @type {import("./view.js").Scanner | null} */
let scanner = null;

/** The camera looks only when nothing is under way and nothing lies over it. */
function look(whenClear = false) {
  if (isBusy || document.querySelector("dialog[open]")) scanner?.pause();
  else scanner?.resume({ again: false, whenClear });
}

/** @param {() => Promise<{ mood: string } | void>} work - one at a time */
async function alone(work) {
  isBusy = true;
  look();
  const last = await work().finally(() => {
    isBusy = false;
  });
  look(last?.mood === "given");
}

/**
 * @param {string} text
 * @param {boolean} isByHand - typed, or by a hand scanner: seven characters will do
 */
async function take(text, isByHand) {
  if (isBusy && !screen.skip()) return;
  await null; // let what was skipped end
  const read = readCode(text);
  if (!read || (read.kind === "short" && !isByHand)) {
    sound.waiting();
    toast(texts.foreign);
    return;
  }
  const other = texts.kinds[read.kind];
  await alone(() => (other ? present(notForTills(other)) : give(read)));
}

/** @param {import("/static/shared/scanner/code-text.js").Read} read */
async function give(read) {
  const stamps = quantity.value();
  const { done, stopped } = await patience((post) => spend(read, stamps, { post }));
  quantity.set(1);
  if (!done) return toast(stopped);
  const outcome = outcomeOf(done.door, done.answer, speech);
  if (outcome.undo) latest.add(outcome.undo);
  return present(outcome);
}

/**
 * @param {import("./outcome.js").Screen} outcome
 * @returns {Promise<{ mood: string }>}
 */
async function present(outcome) {
  const choice = await screen.show(outcome);
  if (choice === "undo" && outcome.undo) await undo(outcome.undo);
  return outcome;
}

/** @param {import("./outcome.js").Undoable} given */
async function undo(given) {
  const path = `/api/v1/${given.door}/${given.id}/reversal`;
  const { done, stopped } = await patience((post) => post(path, { reason: texts.reason }));
  if (!done) return toast(stopped);
  const isUndone = done.status === 200 || done.status === 201;
  if (isUndone) latest.undone(given.id);
  await screen.show(isUndone ? undoneOf(given, texts.given) : refusalOf(done, speech));
}

/**
 * @param {import("./show.js").Shown} shown
 * @param {import("./show.js").Collected} state
 */
async function collected(shown, state) {
  const outcome = collectedOf(shown.stamps, state, texts);
  if (outcome.undo) latest.add(outcome.undo);
  // A result under way is not torn from under a finger; the list has it in any case.
  if (isBusy) return toast(`${outcome.title} · ${outcome.lines[0]}`);
  show.close();
  await alone(() => present(outcome));
}

const open = (/** @type {string} */ name, /** @type {() => unknown} */ act) =>
  part(root, `[data-${name}-open]`).addEventListener("click", () => {
    act();
    look();
  });
open("show", () => void show.open(quantity.value()));
open("type", () => typed.open());
open("latest", () => latest.open());
for (const layer of document.querySelectorAll("dialog")) {
  layer.addEventListener("close", () => look());
  for (const button of layer.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => layer.close());
  }
}
listenToWedge(document, (text) => void take(text, true));

scanner = await createView(root, {
  startScanner,
  texts: texts.scanner,
  held: texts.held,
  onText: (text) => void take(text, false),
});
look();
