// From the server's answer to what the barista reads.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  collectedOf,
  outcomeOf,
  undoneOf,
} from "../../../../app/web/counter/static/outcome.js";
import { refundOf } from "../../../../app/web/counter/static/came-back.js";
import { notForTills } from "../../../../app/web/counter/static/refusal.js";
import { plainly, texts } from "./texts-of-page.mjs";

const speech = { texts, lang: "en", now: new Date(2026, 10, 22, 9, 0) };

/** A stamp given: how many, and what the card says now. */
function stamped(given, stamps, { name = "Anna", status = 201 } = {}) {
  const body = {
    stamp_id: "s1",
    stamps_given: given,
    member_name: name,
    card: { stamps, stamps_required: 10, reward: "Free coffee" },
  };
  return outcomeOf("stamps", { status, body }, speech);
}

const refused = (status, body) => outcomeOf("stamps", { status, body }, speech);

test("a stamp given is green, says to whom and how many are left", () => {
  const screen = stamped(2, 9);

  assert.equal(screen.mood, "given");
  assert.equal(plainly(screen.title), "2 stamps for Anna");
  assert.deepEqual(screen.lines, ["9 of 10 — one more to go"]);
  assert.deepEqual(screen.dots, { full: 9, of: 10 });
  assert.equal(screen.stay, 3000);
});

test("the answer of a retry is as green as the first", () => {
  assert.equal(stamped(1, 3, { status: 200 }).mood, "given");
});

test("a member without a name gets the stamps all the same", () => {
  assert.equal(stamped(1, 3, { name: null }).title, "1 stamp given");
});

test("when the number to go is beyond the sentences the count alone is said", () => {
  assert.deepEqual(stamped(1, 1).lines, ["1 of 10"]);
});

test("a stamp can be undone", () => {
  const { undo } = stamped(2, 9);

  assert.deepEqual({ ...undo, what: plainly(undo.what) }, {
    door: "stamps",
    id: "s1",
    what: "2 stamps for Anna",
    count: 2,
  });
});

test("a full card is celebrated with all dots", () => {
  const screen = stamped(1, 0);

  assert.equal(screen.icon, "voucher");
  assert.equal(plainly(screen.earned), "Card full: Free coffee");
  assert.deepEqual(screen.dots, { full: 10, of: 10 });
  assert.deepEqual(screen.lines, []);
});

test("what is left over after a full card is said", () => {
  assert.deepEqual(stamped(3, 2).lines, ["2 of 10 on the next card"]);
});

test("as many stamps as were given, on a fresh card, fill nothing", () => {
  assert.equal(stamped(2, 2).earned, "");
});

test("a card of many stamps has a count and no dots", () => {
  const body = {
    stamp_id: "s",
    stamps_given: 1,
    member_name: null,
    card: { stamps: 3, stamps_required: 40, reward: "Cake" },
  };

  assert.equal(outcomeOf("stamps", { status: 201, body }, speech).dots, null);
});

test("a voucher is handed over", () => {
  const body = { redemption_id: "r1", member_name: "Anna", voucher: { reward: "Free coffee" } };

  const screen = outcomeOf("redemptions", { status: 201, body }, speech);

  assert.equal(plainly(screen.title), "Free coffee for Anna");
  assert.deepEqual(screen.lines, ["Hand it over."]);
  assert.deepEqual([screen.undo.door, screen.undo.id], ["redemptions", "r1"]);
});

test("a refusal is red, has no undo, and stays long enough to be read", () => {
  const screen = refused(400, { code: "code_invalid", title: "Not a valid code", detail: "No." });

  assert.deepEqual([screen.mood, screen.undo, screen.stay], ["refused", null, 5000]);
  assert.deepEqual([screen.title, screen.lines], ["Not a valid code", ["No."]]);
});

test("a spent code says when and where, and what to do next", () => {
  const screen = refused(409, {
    code: "code_spent",
    title: "Already used",
    detail: "It was used.",
    spent_at: new Date(2026, 10, 22, 8, 12).toISOString(),
    place: "Torvet",
  });

  assert.deepEqual(screen.lines.map(plainly), ["Used at 08:12, Torvet.", "Ask for a fresh code."]);
});

test("where the server's sentence names no next step, ours does", () => {
  const screen = refused(409, { code: "card_closed", title: "Card closed", detail: "Closed." });

  assert.deepEqual(screen.lines, ["Closed.", "Ask your manager."]);
});

test("a code that this page has never heard of is still a refusal in words", () => {
  const screen = refused(418, { code: "brand_new", title: "New", detail: "Because." });

  assert.deepEqual(screen.lines, ["Because.", "Scan again."]);
});

for (const body of [null, {}, "<html>"]) {
  test(`an answer without words is refused, never green: ${JSON.stringify(body)}`, () => {
    const screen = refused(500, body);

    assert.deepEqual([screen.mood, screen.title], ["refused", "That did not work"]);
  });
}

test("no answer is never green", () => {
  assert.equal(refused(0, null).mood, "refused");
});

test("a code that no till takes says what it is", () => {
  const screen = notForTills({ title: "This is a till's code", text: "For phones." });

  assert.deepEqual([screen.mood, screen.lines], ["refused", ["For phones."]]);
});

test("a collected stamp code says to whom, and waits for a finger", () => {
  const state = { state: "collected", member_name: "Anna", card_number: "44172093", stamp_id: "s9" };

  const screen = collectedOf(2, state, texts);

  assert.equal(plainly(screen.title), "Collected by Anna");
  assert.equal(plainly(screen.lines[0]), "2 stamps · card 4417\u00a02093");
  assert.deepEqual([screen.undo.id, screen.undo.door, screen.stay], ["s9", "stamps", 0]);
});

test("a voucher that comes back after its end is said to be over", () => {
  const given = { door: "redemptions", id: "r1", what: "Free coffee for Anna", count: 0 };
  const back = (state) => undoneOf(given, texts.given, { voucher: { state } }).lines;

  assert.equal(back("expired").at(-1), "Its last day is over: it can't be used any more.");
  assert.equal(back("issued").length, 2);
});

test("what was undone is not green", () => {
  const given = { door: "redemptions", id: "r1", what: "Free coffee for Anna", count: 0 };

  const screen = undoneOf(given, texts.given);

  assert.equal(screen.mood, "undone");
  assert.deepEqual(screen.lines, ["Free coffee for Anna", "The reward is back on the card."]);
});

test("what was earned by which rule stands under the stamps, and what was bought", () => {
  const body = {
    stamp_id: "s",
    stamps_given: 2,
    member_name: "Anna",
    card: { stamps: 4, stamps_required: 10, reward: "Coffee" },
    earned: ["1 stamp", "1 stamp: Double Tuesday", "35 points"],
    gained: "2 stamps, 35 points",
    holds: "120 points",
    filled: 0,
    purchase: { amount: 350, currency: "EUR", lines: [{ name: "Coffee", quantity: 1 }] },
  };
  const { title, lines } = outcomeOf("stamps", { status: 201, body }, { texts, lang: "en" });
  assert.equal(plainly(title), "2 stamps, 35 points for Anna");
  assert.deepEqual(lines.slice(1).map(plainly), [
    "120 points on the card",
    "1 stamp",
    "1 stamp: Double Tuesday",
    "35 points",
    "Coffee · €3.50",
  ]);
});

/** A visit by which rules gave something, or nothing. */
function visited(told, card = {}) {
  const body = {
    stamp_id: "s",
    stamps_given: 0,
    member_name: "Anna",
    filled: 0,
    earned: [],
    card: { stamps: 0, stamps_required: 10, reward: "Coffee", ...card },
    ...told,
  };
  return outcomeOf("stamps", { status: 201, body }, { texts, lang: "en" });
}

test("points alone are said as points, and no count of stamps stands under them", () => {
  const screen = visited({ gained: "35 points", earned: ["35 points: Shopping"], holds: "120 points" });

  assert.equal(plainly(screen.title), "35 points for Anna");
  assert.deepEqual(screen.lines.map(plainly), ["120 points on the card", "35 points: Shopping"]);
  assert.equal(screen.dots, null);
});

test("a visit that earned nothing says so, and can be undone", () => {
  const screen = visited({ gained: "" });

  assert.equal(plainly(screen.title), "Noted for Anna: nothing earned this time");
  assert.equal(screen.undo.id, "s");
});

test("more stamps than a barista can count are said in the server's words", () => {
  const screen = visited({ stamps_given: 10, gained: "10 stamps" }, { stamps: 1, stamps_required: 20 });

  assert.equal(plainly(screen.title), "10 stamps for Anna");
});

test("a card that owes is not called full, and says what it is short of", () => {
  const screen = visited(
    { stamps_given: 1, gained: "1 stamp", owes: "2 stamps" },
    { stamps: -2 },
  );

  assert.deepEqual([screen.icon, screen.earned, screen.dots], ["given", "", null]);
  assert.deepEqual(screen.lines.map(plainly), ["The card is still short of 2 stamps."]);
});

test("a collected stamp code says what rules gave, not what was chosen", () => {
  const state = {
    state: "collected", member_name: "Anna", card_number: "44172093", stamp_id: "s9",
    stamps_given: 2, gained: "2 stamps, 35 points", earned: ["2 stamps: Double Tuesday", "35 points"],
  };

  const screen = collectedOf(1, state, texts);

  assert.deepEqual(screen.lines.map(plainly), [
    "2 stamps, 35 points · card 4417\u00a02093",
    "2 stamps: Double Tuesday",
    "35 points",
  ]);
  assert.equal(plainly(screen.undo.what), "2 stamps, 35 points for Anna");
});

test("what a card is short of after a refund is said in all units", () => {
  const body = {
    amount: 350, currency: "EUR", member_name: null, owes: "35 points",
    card: { stamps: 1, balances: { point: -35 } },
  };

  const { lines } = refundOf({ status: 201, body }, { texts, lang: "en" });

  assert.deepEqual(lines.map(plainly), ["Short of 35 points."]);
});
