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
import { keepAwake } from "/static/shared/scanner/awake.js";
import * as sound from "/static/shared/sound.js";
import { offerInstall } from "./install.js";
import { forget, keep, markEnded, offlineNotice, seenIn } from "./last-seen.js";
import { poll } from "./poll.js";
import { soundSwitch } from "./quiet.js";
import { shownCode } from "./shown-code.js";

const SLOW_MS = 8_000;
// The phone is to show a stamp within two seconds, two short answers included.
const QUICK_MS = 1_200;

const face = /** @type {HTMLElement} */ (document.getElementById("face"));
const host = /** @type {HTMLElement} */ (document.getElementById("news"));
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
/** What a change of the card needs: fetched when one may be near, for a light first load. */
const forChange = () => Promise.all([import("./face.js"), import("./news.js")]);
const shown = shownCode({
  face, dialog, cardId, texts, call, clock, keepAwake,
  about: () => shownFace().dataset.about ?? "",
  onFollow: pace,
});
const notice = offlineNotice(/** @type {HTMLElement} */ (document.getElementById("offline")), {
  sentence: texts.kept,
  lang: document.documentElement.lang,
  mark: (at) => markEnded(face, at),
});
const isLoud = soundSwitch(/** @type {HTMLElement} */ (document.querySelector("[data-sound]")), texts);

const watch = poll({
  url: `/api/v1/cards/${cardId}`,
  tag: shownFace().dataset.tag ?? "",
  fetch: globalThis.fetch.bind(globalThis),
  after: clock.after,
  onAnswer: (headers) => {
    shown.dropRevoked(headers.get("Revoked-Keys"));
    seen();
  },
  onTrouble: notice.show,
  onGone: () => {
    forget(localStorage);
    location.assign("/");
  },
  onChange: refresh,
});

/** The server has just said that the card is as it is shown. */
function seen() {
  notice.heard();
  keep(localStorage, seenIn(face, Date.now()));
}

async function refresh() {
  const [{ fetchFace }, { showNews }] = await forChange();
  const news = await fetchFace(face, cardId, globalThis.fetch);
  seen();
  if (!news) return;
  shown.spent();
  if (isLoud()) (news.kind === "taken" ? sound.waiting : sound.given)();
  // A modal dialog lies above all else, so the news goes into it while it is open.
  if (dialog.open) dialog.append(host);
  else document.body.append(host);
  showNews(news, { host, after: clock.after, onDone: shown.close });
}

function pace() {
  if (shown.isOpen()) void forChange().catch(() => undefined); // asked for again then
  watch.pace(document.visibilityState !== "visible" ? 0 : shown.isOpen() ? QUICK_MS : SLOW_MS);
}

globalThis.addEventListener("hashchange", shown.follow);
globalThis.addEventListener("online", pace);
globalThis.addEventListener("offline", () => notice.show(true));
document.addEventListener("visibilitychange", () => {
  shown.wake(document.visibilityState === "visible");
  pace();
});
seen();
sound.unlock();
const toShare = /** @type {HTMLElement} */ (document.querySelector("[data-share]"));
// Few share, so nobody waits for it before the card is there.
toShare.addEventListener("click", async () => (await import("./share.js")).share(toShare, texts));
const tabs = [...document.querySelectorAll(".tab")];
if (tabs.length) {
  void import("./swipe.js").then(({ swipes }) => swipes(face, tabs));
  document.querySelector(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}
offerInstall(/** @type {HTMLElement} */ (document.getElementById("install")), face);
if (location.search) history.replaceState(null, "", location.pathname + location.hash);
if (!navigator.onLine) notice.show(true);
shown.follow();
