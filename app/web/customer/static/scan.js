// @ts-check
/**
 * The page that scans a till's code: camera, one collecting at a time, the answer.
 *
 * @module customer/scan
 */

import { call } from "/static/shared/api.js";
import { readCode } from "/static/shared/scanner/code-text.js";
import { startScanner } from "/static/shared/scanner/scanner.js";
import * as sound from "/static/shared/sound.js";
import { collect } from "./collect.js";

const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const texts = JSON.parse(part("texts").textContent ?? "{}");
const answer = part("answer");
const screen = /** @type {HTMLElement} */ (answer.firstElementChild);
const next = part("answer-next");
let onNext = () => {};
let giveUp = new AbortController();

/**
 * @param {"given" | "refused" | "waiting"} kind
 * @param {string} title
 * @param {string} text
 * @param {string} button
 * @param {() => void} then
 */
function show(kind, title, text, button, then) {
  screen.className = `result result--${kind}`;
  for (const mark of answer.querySelectorAll("[data-icon]")) {
    /** @type {HTMLElement} */ (mark).hidden = mark.getAttribute("data-icon") !== kind;
  }
  part("answer-title").textContent = title;
  part("answer-text").textContent = text;
  next.textContent = button;
  onNext = then;
  const isNew = answer.hidden;
  answer.hidden = false;
  if (isNew) next.focus({ preventScroll: true });
}

function backToCamera() {
  giveUp.abort();
  answer.hidden = true;
  scanner.resume({ whenClear: true });
}

const chosen = () =>
  /** @type {HTMLInputElement | null} */ (
    document.querySelector('input[name="card"]:checked, input[name="card"][type="hidden"]')
  )?.value ?? "";

/** @param {string} text */
async function take(text) {
  const read = readCode(text);
  if (read && read.kind !== "stamp" && read.kind !== "printed") {
    return refuse(texts.wrong_kind, texts.own_text);
  }
  if (!read) return refuse(texts.not_ours, texts.not_ours_text);
  scanner.pause();
  giveUp = new AbortController();
  const cardId = chosen();
  const result = await collect({ call, cardId, code: read.code, signal: giveUp.signal, onWait });
  if (giveUp.signal.aborted) return;
  if (!result.isGiven) {
    return refuse(result.title ?? texts.failed_title, result.detail ?? texts.failed_text);
  }
  sound.given();
  // The card's own page shows the stamp falling: that is the answer.
  location.assign(`/card/${cardId}?new=1`);
}

function onWait() {
  sound.waiting();
  show("waiting", texts.waiting, texts.waiting_text, texts.cancel, backToCamera);
}

/** @param {string} title @param {string} detail */
function refuse(title, detail) {
  scanner.pause();
  sound.refused();
  show("refused", title, detail, texts.again, backToCamera);
}

/** @param {string} state */
function onState(state) {
  const works = state === "scanning" || state === "held";
  part("state").hidden = works;
  part("state-text").textContent = texts[state] ?? "";
  part("retry").hidden = works || state === "starting" || state === "none" || state === "failed";
}

sound.unlock();
next.addEventListener("click", () => onNext());
const video = /** @type {HTMLVideoElement} */ (document.getElementById("camera"));
const scanner = await startScanner({ video, onText: take, onState });
part("retry").addEventListener("click", () => scanner.retry());
