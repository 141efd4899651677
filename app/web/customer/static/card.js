// @ts-check
/**
 * The card's page: lives as the card does.
 *
 * It asks for the card slowly while in view, quickly while a code is shown, and puts
 * the new face in place when its tag moved. `#code` and `#voucher-<id>` in the
 * address open the layer; the back button closes it.
 *
 * @module customer/card
 */

import { call } from "/static/shared/api.js";
import { keyOf } from "/static/shared/code-key.js";
import { keepAwake } from "/static/shared/scanner/awake.js";
import * as sound from "/static/shared/sound.js";
import { fetchFace } from "./face.js";
import { offerInstall } from "./install.js";
import { issuer } from "./issue.js";
import { forget, howOld, keep, markEnded, seenIn } from "./last-seen.js";
import { codeLayer } from "./layer.js";
import { showNews } from "./news.js";
import { poll } from "./poll.js";
import { soundSwitch } from "./quiet.js";
import { renewal } from "./renewal.js";
import { shareButton } from "./share.js";
import { swipes } from "./swipe.js";

const SLOW_MS = 8_000;
// The phone is to show a stamp within two seconds, two short answers included.
const QUICK_MS = 1_200;

const face = /** @type {HTMLElement} */ (document.getElementById("face"));
const host = /** @type {HTMLElement} */ (document.getElementById("news"));
const offline = /** @type {HTMLElement} */ (document.getElementById("offline"));
const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("code"));
const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
const cardId = face.dataset.card ?? "";
const shownFace = () => /** @type {HTMLElement} */ (face.firstElementChild);

/** @type {import("./renewal.js").Clock} */
const clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};
const layer = codeLayer(dialog);
/** One renewal for each thing that can be shown. @type {Map<string, ReturnType<typeof renewal>>} */
const renewals = new Map();
/** @type {ReturnType<typeof renewal> | null} */
let open = null;
let letSleep = () => {};
/** When the server last answered, in milliseconds of this phone's clock. */
let heard = Date.now();
const isLoud = soundSwitch(/** @type {HTMLElement} */ (document.querySelector("[data-sound]")), texts);

const watch = poll({
  url: `/api/v1/cards/${cardId}`,
  tag: shownFace().dataset.tag ?? "",
  fetch: globalThis.fetch.bind(globalThis),
  after: clock.after,
  onAnswer: (headers) => {
    dropRevoked(headers);
    seen();
  },
  onTrouble: (isOffline) => {
    offline.hidden = !isOffline;
    sayAge();
  },
  onGone: () => {
    forget(localStorage);
    location.assign("/");
  },
  onChange: refresh,
});

/** The server has just said that the card is as it is shown. */
function seen() {
  heard = Date.now();
  keep(localStorage, seenIn(face, heard));
}

/** Say how old the card is that one sees without a network. */
function sayAge() {
  markEnded(face, offline.hidden ? -Infinity : Date.now());
  const said = offline.querySelector("[data-said]");
  if (!said || offline.hidden) return;
  said.textContent = texts.kept.replace("{age}", howOld(heard, Date.now(), document.documentElement.lang));
}

async function refresh() {
  const news = await fetchFace(face, cardId, globalThis.fetch);
  seen();
  if (!news) return;
  const wasOpen = open;
  wasOpen?.spent();
  wasOpen?.stop();
  if (isLoud()) (news.kind === "taken" ? sound.waiting : sound.given)();
  // A modal dialog lies above all else, so the news goes into it while it is open.
  if (dialog.open) dialog.append(host);
  else document.body.append(host);
  showNews(news, { host, after: clock.after, onDone: () => close() });
}

/** @param {Headers} headers */
function dropRevoked(headers) {
  const told = headers.get("Revoked-Keys");
  if (!told) return;
  const keys = new Set(told.split(",").map(Number));
  for (const each of renewals.values()) each.revoked(keys);
}

/** @param {string} path */
function renewalOf(path) {
  const known = renewals.get(path);
  if (known) return known;
  const made = renewal({ issue: issuer(call, path, texts), clock, show: layer.show, keyOf });
  renewals.set(path, made);
  return made;
}

function follow() {
  open?.stop();
  open = null;
  const voucherId = /^#voucher-([0-9a-f-]{36})$/.exec(location.hash)?.[1];
  const link = /** @type {HTMLElement | null} */ (
    voucherId ? face.querySelector(`a[href="${location.hash}"]`) : face.querySelector('a[href="#code"]')
  );
  letSleep();
  letSleep = () => {};
  if (!link || !(voucherId || location.hash === "#code")) {
    layer.close();
    return pace();
  }
  const path = voucherId ? `/api/v1/vouchers/${voucherId}/code` : `/api/v1/cards/${cardId}/code`;
  layer.open(voucherId
    ? { title: link.dataset.reward ?? "", about: texts.about_voucher }
    : { title: texts.hold, about: shownFace().dataset.about ?? "" });
  open = renewalOf(path);
  if (document.visibilityState === "visible") open.start();
  letSleep = keepAwake();
  pace();
}

function close() {
  // Not history.back(): the page may have been opened with the code in its address.
  if (location.hash) history.replaceState(null, "", location.pathname);
  follow();
}

function pace() {
  watch.pace(document.visibilityState !== "visible" ? 0 : open ? QUICK_MS : SLOW_MS);
}

globalThis.addEventListener("hashchange", follow);
globalThis.addEventListener("online", pace);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") open?.start();
  else open?.stop();
  pace();
});
dialog.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
dialog.querySelector('[data-do="close"]')?.addEventListener("click", (event) => {
  event.preventDefault();
  close();
});
seen();
sound.unlock();
setInterval(sayAge, 20_000);
shareButton(/** @type {HTMLElement} */ (document.querySelector("[data-share]")), texts);
swipes(face, [...document.querySelectorAll(".tab")]);
document.querySelector(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
offerInstall(/** @type {HTMLElement} */ (document.getElementById("install")), face);
if (location.search) history.replaceState(null, "", location.pathname + location.hash);
follow();
