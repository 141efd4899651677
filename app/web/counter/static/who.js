// @ts-check
/**
 * Who is at the till: a name, then a PIN. The same part on its own page and, when a
 * session ends or people change, over the scanner.
 *
 * @module counter/who
 *
 * @typedef {{ staff_id: string, name: string }} Person
 * @typedef {import("./session.js").Call} Call
 */

import { createPinPad } from "./pin-pad.js";
import { fill, howLong, part } from "./words.js";

/**
 * @param {HTMLElement} root - the template's `who` part
 * @param {object} page
 * @param {Person[]} page.people
 * @param {any} page.texts
 * @param {string} page.lang
 * @param {Call} page.call
 * @param {() => void} page.onNoTill - this device is a till no more
 */
export function createWho(root, { people, texts, lang, call, onNoTill }) {
  const names = part(root, "[data-names]");
  const list = part(root, "[data-list]");
  const note = part(root, "[data-note]");
  /** @type {((person: Person) => void) | null} */
  let settle = null;
  /** @type {Person | null} */
  let chosen = null;

  const pad = createPinPad(part(root, "[data-pin]"), {
    texts,
    onPin: (pin) => void tryPin(pin),
    onBack: showNames,
  });

  /** @param {Person[]} all */
  function drawNames(all) {
    list.replaceChildren(
      ...all.map((person) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn btn--wide who__name";
        const name = document.createElement("bdi");
        name.textContent = person.name;
        button.append(name);
        button.addEventListener("click", () => choose(person));
        item.append(button);
        return item;
      }),
    );
    if (all.length === 0) note.textContent = texts.nobody;
  }

  function showNames() {
    chosen = null;
    note.textContent = "";
    pad.hide();
    names.hidden = false;
    drawNames(people);
    void refresh();
  }

  /** Somebody may have been added since the page was loaded. */
  async function refresh() {
    const answer = await call("GET", "/api/v1/staff");
    if (answer.status === 401) onNoTill();
    if (answer.status !== 200 || JSON.stringify(answer.body) === JSON.stringify(people)) {
      return;
    }
    people = answer.body;
    if (!names.hidden) drawNames(people);
  }

  /** @param {Person} person @param {string} [words] */
  function choose(person, words = "") {
    chosen = person;
    names.hidden = true;
    pad.show(fill(texts.pin_for, { name: person.name }), words);
  }

  /** @param {string} pin */
  async function tryPin(pin) {
    if (!chosen) return;
    const person = chosen;
    pad.busy(true);
    const answer = await call("POST", "/counter/sign-in", {
      staff_id: person.staff_id,
      pin,
    });
    pad.busy(false);
    if (answer.status === 200) {
      pad.clear();
      // This person reads another language: the page comes again in theirs.
      if (answer.body?.language && answer.body.language !== lang) location.reload();
      settle?.(person);
    } else if (answer.status === 401) {
      pad.refuse(texts.wrong);
      await refresh();
    } else if (answer.status === 429) {
      pad.wait(answer.retryAfter || 60, (left) =>
        fill(texts.limit, { time: howLong(left, lang) }),
      );
    } else {
      pad.refuse(answer.body?.detail ?? texts.network);
    }
  }

  return {
    /** Draw the names anew, if they stand there and others work here now. */
    refresh: () => (names.hidden ? undefined : refresh()),
    /**
     * @param {Person | null} [person] - who is asked for a PIN; null: choose a name
     * @param {string} [words] - why
     * @returns {Promise<Person>}
     */
    ask(person = null, words = "") {
      if (person) choose(person, words);
      else showNames();
      return new Promise((resolve) => {
        settle = resolve;
      });
    },
  };
}
