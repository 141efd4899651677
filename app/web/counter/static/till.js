// @ts-check
/**
 * The till at work: wires the scanner, the server and the screens to each other.
 *
 * One code at a time. While one is under way or a layer is open, the camera looks away.
 * What the server has not answered waits in the queue, which goes on behind all of it.
 *
 * @module counter/till
 */

import { call as callServer } from "/static/shared/api.js";
import { readCode } from "/static/shared/scanner/code-text.js";
import { startScanner } from "/static/shared/scanner/scanner.js";
import * as sound from "/static/shared/sound.js";
import { createCrew } from "./crew.js";
import { createGate } from "./gate.js";
import { createLatest } from "./latest.js";
import { wireLayers } from "./layers.js";
import { offerMore } from "./more.js";
import { createPatience } from "./patience.js";
import { createResultScreen } from "./result-screen.js";
import { createServe } from "./serve.js";
import { createShow } from "./show.js";
import { hintAtSound } from "./sound-hint.js";
import { createTake } from "./take.js";
import { createTally } from "./tally.js";
import { toEnrolment } from "./to-enrolment.js";
import { createToast } from "./toast.js";
import { createTrainingSwitch } from "./training-switch.js";
import { createTyped } from "./typed.js";
import { createUnasked } from "./unasked.js";
import { createView } from "./view.js";
import { listenToWedge } from "./wedge.js";
import { pageData, part } from "./words.js";

const texts = pageData("texts");
const { lang } = document.documentElement;
const dialog = (/** @type {string} */ id) =>
  /** @type {HTMLDialogElement} */ (part(document, `#${id}`));
const root = part(document, "#main");
const menu = dialog("menu");

// What stands on the screen.
const toast = createToast(part(document, "#toast"));
const quantity = createTally(document, root, { texts: texts.sale, lang, menu: pageData("menu-of-items") });
const screen = createResultScreen(dialog("result"), { texts, sound });
const gate = createGate({
  isCovered: () => document.querySelector("dialog[open]") !== null,
  onFree: () => crew.goOn(), // what was left for later
});
const training = createTrainingSwitch(root, {
  texts: texts.training,
  toast,
  isFree: () => !crew.hasWaiting(),
  inMenu: part(menu, "[data-train]"),
  closeMenu: () => menu.close(),
});
const inTraining = () => (training.isOn() ? (toast(texts.training.not_here), true) : false);

// Who is at the till, and what goes on behind them.
/** The only way out of this page. */
const call = training.guard(callServer);
const crew = createCrew({
  texts, lang, document, dialog,
  chip: part(root, "[data-queue-open]"),
  storage: localStorage,
  call,
  isBusy: gate.isBusy,
  onLate: (scan, answered) => void unasked.late(serve.answered(scan, answered)),
  onOther: () => training.stop(),
  onSignOut: () => latest.clear(),
});

// Serving: from a text to a result.
const latest = createLatest(dialog("latest"), {
  texts: texts.latest,
  lang,
  storage: sessionStorage,
  onUndo: (line) => void gate.alone(() => serve.undo(line)),
});
const serve = createServe({
  speech: { texts, lang },
  patience: createPatience({ ask: crew.ask, screen, texts }),
  screen, quantity, latest, toast,
  queue: crew.queue,
  who: crew.who,
});
const unasked = createUnasked({ texts, gate, present: serve.present, sound, toast });
const take = createTake({
  texts,
  readCode,
  gate,
  skip: screen.skip,
  serve,
  quantity,
  isTraining: training.isOn,
  isAsking: crew.isAsking,
  touch: crew.touch,
  onForeign() {
    sound.waiting();
    toast(texts.foreign);
  },
});

// The layers, and the ways in.
const typed = createTyped(dialog("typed"), {
  onText: (text) => readCode(text) !== null && (void take(text, true), true),
  unreadable: texts.unreadable,
});
const show = createShow(dialog("show"), {
  ask: crew.ask,
  call,
  texts: texts.stamp_code,
  order: quantity.order,
  onCollected: (shown, state) =>
    void unasked.collected(serve.collected(shown, state), show.close),
});
offerMore(document, { texts, lang, ask: crew.ask, gate, quantity, serve, isRefused: inTraining });
wireLayers(document, {
  open: {
    show: () => inTraining() || show.open(quantity.value()),
    type: typed.open,
    latest: latest.open,
    sale: quantity.open,
    menu: crew.openMenu,
    queue: crew.openQueue,
  },
  look: gate.look,
});
part(menu, "[data-lock]").addEventListener("click", () => crew.lock());
listenToWedge(document, (text) => void take(text, true));
hintAtSound(part(root, "[data-sound]"), sound);

toEnrolment(location);
crew.begin();
gate.watch(
  await createView(root, {
    startScanner,
    texts: texts.scanner,
    held: texts.held,
    onText: (text) => void take(text, false),
  }),
);
