// How much of a voucher is used: typed on a pad, all of it by one tap, never more.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

class Part extends EventTarget {
  textContent = "";
  /** @type {Record<string, string>} */
  dataset = {};
  closest() {
    return this;
  }
  /** @param {(string | Part)[]} nodes */
  replaceChildren(...nodes) {
    const words = nodes.map((node) => (typeof node === "string" ? node : node.textContent));
    this.textContent = words.join("");
  }
}
globalThis.document = /** @type {any} */ ({ createElement: () => new Part() });
globalThis.Element = /** @type {any} */ (Part);
const { createAmount } = await import("../../../../app/web/counter/static/amount.js");

const texts = { amount: { left: "{left} left", all: "All {left}", at_most: "At most {most}" } };
const ASKED = { rest: 500, currency: "EUR", reward: "Five off" };
/** @type {any} */
let dialog;
/** @type {any} */
let ask;

class Dialog extends Part {
  open = false;
  parts = new Map();
  /** @param {string} selector */
  querySelector(selector) {
    if (!this.parts.has(selector)) this.parts.set(selector, new Part());
    return this.parts.get(selector);
  }
  showModal() {
    this.open = true;
  }
  close() {
    this.open = false;
    this.dispatchEvent(new Event("close"));
  }
}

/** @param {Part} target */
function tap(target) {
  const event = new Event("click");
  Object.defineProperty(event, "target", { value: target });
  dialog.dispatchEvent(event);
}

/** @param {string} digits */
function type(digits) {
  for (const digit of digits) {
    tap(Object.assign(new Part(), { dataset: { digit } }));
  }
}

/** @param {string} key */
function press(key) {
  const event = Object.assign(new Event("keydown", { cancelable: true }), { key });
  dialog.dispatchEvent(event);
  return event.defaultPrevented;
}

const submit = () => dialog.querySelector("form").dispatchEvent(new Event("submit"));
const shown = () => dialog.querySelector("[data-sum]").textContent;
const error = () => dialog.querySelector("[data-error]").textContent;

beforeEach(() => {
  dialog = new Dialog();
  ask = createAmount(dialog, { texts, lang: "en" });
});

test("digits move in from the right, and what was typed is used", async () => {
  const answer = ask(ASKED);
  assert.equal(dialog.open, true);
  assert.equal(dialog.querySelector("[data-left]").textContent, "€5.00 left");
  type("0350");
  assert.equal(shown(), "€3.50");
  submit();
  assert.equal(await answer, 350);
  assert.equal(dialog.open, false);
});

test("a keyboard types too, and other keys are left to the page", async () => {
  const answer = ask(ASKED);
  assert.ok(press("4") && press("9") && press("Backspace"));
  assert.equal(press("Tab"), false);
  assert.equal(shown(), "€0.04");
  submit();
  assert.equal(await answer, 4);
});

test("more than is left, and nothing, are refused on the spot", async () => {
  const answer = ask(ASKED);
  submit();
  assert.equal(error(), "At most €5.00");
  type("501");
  assert.equal(error(), "");
  submit();
  assert.equal(error(), "At most €5.00");
  tap(dialog.querySelector("[data-all]"));
  assert.equal(await answer, 500);
});

test("closing it uses nothing, and the next one begins anew", async () => {
  const first = ask(ASKED);
  type("123");
  dialog.close();
  assert.equal(await first, null);

  const second = ask({ ...ASKED, rest: 40 });
  assert.equal(shown(), "€0.00");
  type("40");
  submit();
  assert.equal(await second, 40);
});

test("no sum grows without end", () => {
  ask(ASKED);
  type("12345678901234");
  assert.equal(shown(), "€1,234,567.89");
});
