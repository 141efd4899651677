// @ts-check
/**
 * Show a stamp code on the till's screen for a customer to collect.
 *
 * Every code that was shown is watched until its end, also after the layer is closed:
 * whoever collects it, the till says so at once, with undo beside it. A photograph over
 * the shoulder is seen.
 *
 * @module counter/show
 *
 * @typedef {{ id: string, stamps: number, order: import("./basket.js").Order, endsAt: number }} Shown -
 *   `endsAt`: ms, our clock
 * @typedef {{ state: string, member_name: string | null, card_number: string | null, stamp_id: string | null, stamps_given?: number | null, earned?: string[], gained?: string }} Collected
 */

import { createQuantity } from "./quantity.js";
import { fill, part } from "./words.js";

const LIFE_MS = 120_000;
const POLL_MS = 1000;

/**
 * When a code ends by our own clock, which may be wrong by more than a code's life.
 *
 * @param {string} notAfter - as the server wrote it
 * @param {number} now - ms
 * @returns {number} ms
 */
export function endOf(notAfter, now) {
  const left = Date.parse(notAfter) - now;
  return now + (left > 0 && left <= LIFE_MS ? left : LIFE_MS);
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {object} page
 * @param {import("./session.js").Call} page.ask - signs in again by itself
 * @param {import("./session.js").Call} page.call - does not
 * @param {any} page.texts
 * @param {() => import("./basket.js").Order} page.order - what was bought
 * @param {(shown: Shown, state: Collected) => void} page.onCollected
 */
export function createShow(dialog, { ask, call, texts, order, onCollected }) {
  const picture = part(dialog, "[data-picture]");
  const over = part(dialog, "[data-over]");
  const note = part(dialog, "[data-note]");
  const ring = part(dialog, "[data-ring]");
  const seconds = part(dialog, "[data-seconds]");
  const time = part(dialog, "[data-time]");
  const quantity = createQuantity(part(dialog, "[data-quantity]"), () => void renew());
  /** @type {Shown | null} */
  let shown = null;
  let turn = 0;

  part(dialog, "[data-renew]").addEventListener("click", () => void renew());

  async function renew() {
    turn += 1;
    const mine = turn;
    const stamps = quantity.value();
    const bought = order();
    dialog.setAttribute("aria-busy", "true");
    const answer = await ask("POST", "/api/v1/stamp-codes?picture=svg", { stamps, ...bought }, { retry: 2 });
    if (mine !== turn) return; // another quantity was chosen meanwhile
    dialog.removeAttribute("aria-busy");
    if (answer.status !== 201) {
      end(answer.body?.detail ?? texts.failed);
      return;
    }
    const { code_id, not_after, picture: svg } = answer.body;
    shown = { id: code_id, stamps, order: bought, endsAt: endOf(not_after, Date.now()) };
    const image = new DOMParser().parseFromString(svg, "image/svg+xml");
    picture.replaceChildren(document.importNode(image.documentElement, true));
    over.hidden = true;
    note.textContent = "";
    tick();
    void watch(shown);
  }

  /** @param {string} words */
  function end(words) {
    shown = null;
    over.hidden = false;
    time.hidden = true;
    note.textContent = words;
  }

  function tick() {
    if (!shown || !dialog.open) return;
    const left = Math.ceil((shown.endsAt - Date.now()) / 1000);
    if (left <= 0) {
      end(texts.over);
      return;
    }
    time.hidden = false;
    ring.style.strokeDashoffset = String(1 - left / (LIFE_MS / 1000));
    seconds.textContent = String(left);
    time.setAttribute("aria-label", fill(texts.seconds, { seconds: left }));
  }
  setInterval(tick, 250);

  /** @param {Shown} code */
  async function watch(code) {
    // A phone that was in time may be answered a moment after the end.
    while (Date.now() < code.endsAt + 5 * POLL_MS) {
      await new Promise((next) => setTimeout(next, POLL_MS));
      const answer = await call("GET", `/api/v1/stamp-codes/${code.id}`);
      if (answer.status !== 200) continue;
      if (answer.body.state === "collected") {
        onCollected(code, answer.body);
        return;
      }
      if (answer.body.state === "expired") return;
    }
  }

  return {
    isOpen: () => dialog.open,
    /** @param {number} stamps */
    open(stamps) {
      quantity.set(stamps);
      end("");
      over.hidden = true;
      picture.replaceChildren();
      dialog.showModal();
      return renew();
    },
    close: () => dialog.close(),
  };
}
