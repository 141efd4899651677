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
import { createPatience } from "./patience.js";
import { createQuantity } from "./quantity.js";
import { notForTills } from "./refusal.js";
import { createResultScreen } from "./result-screen.js";
import { createServe } from "./serve.js";
import { createShow } from "./show.js";
import { toEnrolment } from "./to-enrolment.js";
import { createToast } from "./toast.js";
import { createTyped } from "./typed.js";
import { createView } from "./view.js";
import { listenToWedge } from "./wedge.js";
import { pageData, part } from "./words.js";

const texts = pageData("texts");
const { lang } = document.documentElement;
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
  onUndo: (line) => void alone(() => serve.undo(line)),
});
const speech = { texts, lang };
const serve = createServe({ speech, screen, patience, quantity, latest, toast });
const typed = createTyped(dialog("typed"), {
  onText: (text) => readCode(text) !== null && (void take(text, true), true),
  unreadable: texts.unreadable,
});
const show = createShow(dialog("show"), {
  ask: desk.ask,
  call,
  texts: texts.stamp_code,
  onCollected: (shown, state) => void collected(shown, state),
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
  // The phone that was served shows its next code soon: wait until it is gone.
  look(last?.mood === "given");
}

/**
 * @param {string} text
 * @param {boolean} isByHand - typed, or by a hand scanner: seven characters will do
 */
async function take(text, isByHand) {
  if (isBusy && !screen.skip()) return;
  await new Promise((next) => setTimeout(next)); // what was skipped comes to its end
  const read = readCode(text);
  if (!read || (read.kind === "short" && !isByHand)) {
    sound.waiting();
    toast(texts.foreign);
    return;
  }
  const other = texts.kinds[read.kind];
  await alone(() => (other ? serve.present(notForTills(other)) : serve.give(read)));
}

/** @type {(...what: Parameters<typeof serve.collected>) => Promise<void>} */
async function collected(shown, state) {
  const outcome = serve.collected(shown, state);
  // A result under way is not torn from under a finger; the list has it in any case.
  if (isBusy) return toast(`${outcome.title} · ${outcome.lines[0]}`);
  show.close();
  await alone(() => serve.present(outcome));
}

const open = (/** @type {string} */ name, /** @type {() => unknown} */ act) =>
  part(root, `[data-${name}-open]`).addEventListener("click", () => {
    void act();
    look();
  });
open("show", () => show.open(quantity.value()));
open("type", () => typed.open());
open("latest", () => latest.open());
open("menu", () => desk.openMenu());
for (const layer of document.querySelectorAll("dialog")) {
  layer.addEventListener("close", () => look());
  for (const button of layer.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => layer.close());
  }
}
listenToWedge(document, (text) => void take(text, true));

sound.unlock();
const soundless = part(root, "[data-sound]");
setInterval(() => {
  soundless.hidden = !sound.isLocked();
}, 1000);

toEnrolment(location);
scanner = await createView(root, {
  startScanner,
  texts: texts.scanner,
  held: texts.held,
  onText: (text) => void take(text, false),
});
look();
