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
import { createAutoLock } from "./auto-lock.js";
import { createCourier } from "./courier.js";
import { createDesk } from "./desk.js";
import { createFind } from "./find.js";
import { createLatest } from "./latest.js";
import { createPatience } from "./patience.js";
import { createQuantity } from "./quantity.js";
import { createQueueDrawer } from "./queue-drawer.js";
import { createQueue } from "./queue.js";
import { notForTills } from "./refusal.js";
import { createResultScreen } from "./result-screen.js";
import { createServe } from "./serve.js";
import { createShow } from "./show.js";
import { toEnrolment } from "./to-enrolment.js";
import { createToast } from "./toast.js";
import { createTrainingSwitch } from "./training-switch.js";
import { practised } from "./training.js";
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
const queue = createQueue({ storage: localStorage, onChange: () => drawer.draw() });
const training = createTrainingSwitch(root, {
  texts: texts.training,
  toast,
  isFree: () => !queue.all().some(({ state }) => state === "waiting"),
  inMenu: part(dialog("menu"), "[data-train]"),
  closeMenu: () => dialog("menu").close(),
});
/** The only way out of this page. */
const call = training.guard(callServer);
const desk = createDesk({
  texts,
  lang,
  call,
  dialog,
  onSignOut: () => latest.clear(),
  onLeave: () => courier.pause(),
  onArrive(isOther) {
    if (isOther) {
      training.stop();
      queue.handOver(desk.who());
    }
    courier.start();
  },
});
const courier = createCourier({
  queue,
  call,
  who: desk.who,
  onAnswer(scan, answered) {
    void late(serve.answered(scan, answered));
    leave();
  },
  onEnded: () => desk.signInAgain(),
});
const drawer = createQueueDrawer(
  { chip: part(root, "[data-queue-open]"), dialog: dialog("queue") },
  {
    texts,
    lang,
    scans: queue.all,
    onNow: () => void courier.hurry(),
    onClear: queue.clearTold,
  },
);
const patience = createPatience({ ask: desk.ask, screen, texts });
const latest = createLatest(dialog("latest"), {
  texts: texts.latest,
  lang,
  storage: sessionStorage,
  onUndo: (line) => void alone(() => serve.undo(line)),
});
const speech = { texts, lang };
const serve = createServe({
  speech, screen, patience, quantity, latest, toast, queue, who: desk.who,
});
if (document.querySelector("#find")) {
  const find = createFind(dialog("find"), {
    texts: texts.by_hand,
    lang,
    ask: desk.ask,
    stamps: quantity.value,
    onGive: (code) => void alone(() => serve.give({ kind: "hand", code })),
  });
  part(dialog("menu"), "[data-find]").addEventListener("click", () => {
    dialog("menu").close();
    if (training.isOn()) toast(texts.training.not_here);
    else find.open();
    look();
  });
}
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
const isCovered = () => document.querySelector("dialog[open]") !== null;

/** The camera looks only when nothing is under way and nothing lies over it. */
function look(whenClear = false) {
  if (isBusy || isCovered()) scanner?.pause();
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
  look(last?.mood === "given" || last?.mood === "practice");
  courier.start(); // what was left for later
}

/**
 * @param {string} text
 * @param {boolean} isByHand - typed, or by a hand scanner: seven characters will do
 */
async function take(text, isByHand) {
  if (desk.isAsking() || (isBusy && !screen.skip())) return;
  autoLock.touch();
  await new Promise((next) => setTimeout(next)); // what was skipped comes to its end
  const read = readCode(text);
  if (!read || (read.kind === "short" && !isByHand)) {
    sound.waiting();
    toast(texts.foreign);
    return;
  }
  const other = texts.kinds[read.kind];
  await alone(() => {
    if (other) return serve.present(notForTills(other));
    return training.isOn() ? practise(read.kind) : serve.give(read);
  });
}

/** @param {string} kind */
function practise(kind) {
  const stamps = quantity.value();
  quantity.set(1);
  return serve.present(practised(kind, stamps, texts.training));
}

/** @type {(...what: Parameters<typeof serve.collected>) => Promise<void>} */
async function collected(shown, state) {
  const outcome = serve.collected(shown, state);
  // A result under way is not torn from under a finger; the list has it in any case.
  if (isBusy) return toast(`${outcome.title} · ${outcome.lines[0]}`);
  show.close();
  await alone(() => serve.present(outcome));
}

/**
 * A scan of before has its answer: a good one in a line, a refusal over the screen.
 *
 * @param {import("./outcome.js").Screen} outcome
 */
async function late(outcome) {
  const isGood = outcome.mood === "given";
  if (!isGood && !isBusy && !isCovered()) return alone(() => serve.present(outcome));
  sound[isGood ? "given" : "refused"]();
  toast(isGood ? `${texts.queue.confirmed} ${outcome.title}` : outcome.title);
}

const autoLock = createAutoLock({
  page: document,
  storage: localStorage,
  isBusy: () => isBusy || desk.isAsking(),
  lock() {
    const opened = desk.lock();
    leave();
    return opened;
  },
});

/** Behind the lock the session ends too, once nothing waits that needs it. */
function leave() {
  if (!autoLock.isLocked() || queue.next(desk.who())) return;
  void call("POST", "/counter/sign-out");
}

const open = (/** @type {string} */ name, /** @type {() => unknown} */ act) =>
  part(root, `[data-${name}-open]`).addEventListener("click", () => {
    void act();
    look();
  });
open("show", () => (training.isOn() ? toast(texts.training.not_here) : show.open(quantity.value())));
open("type", () => typed.open());
open("latest", () => latest.open());
open("menu", () => desk.openMenu());
open("queue", () => drawer.open());
part(dialog("menu"), "[data-lock]").addEventListener("click", () => autoLock.now());
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
queue.handOver(desk.who()); // what another person left when the page was loaded last
drawer.draw();
autoLock.begin();
courier.start();
scanner = await createView(root, {
  startScanner,
  texts: texts.scanner,
  held: texts.held,
  onText: (text) => void take(text, false),
});
look();
