// @ts-check
/**
 * The person at the till: their menu, and the PIN over the page when it is needed.
 *
 * Two taps to another person's PIN: the name at the top, then theirs.
 *
 * @module counter/desk
 *
 * @typedef {import("./who.js").Person} Person
 */

import { createSession } from "./session.js";
import { createWho } from "./who.js";
import { pageData, part } from "./words.js";

/** So many names stand in the menu; the others are behind "Someone else". */
const NAMES_IN_MENU = 5;

/**
 * @param {object} page
 * @param {any} page.texts
 * @param {string} page.lang
 * @param {import("./session.js").Call} page.call
 * @param {(id: string) => HTMLDialogElement} page.dialog
 * @param {() => void} page.onSignOut
 * @param {() => Promise<void>} page.onLeave - before anybody else signs in
 * @param {(isOther: boolean) => void} page.onArrive - somebody has signed in
 */
export function createDesk({ texts, lang, call, dialog, onSignOut, onLeave, onArrive }) {
  const sheet = dialog("who");
  const menu = dialog("menu");
  const close = part(sheet, "[data-close]");
  const names = part(menu, "[data-people]");
  /** @type {Person[]} */
  const people = pageData("people");
  /** @type {Person} */
  let me = pageData("me");
  let asking = 0;

  const who = createWho(sheet, {
    people,
    texts: texts.sign_in,
    lang,
    call: signIn,
    onNoTill: () => location.replace("/counter/"),
  });

  /** @type {import("./session.js").Call} */
  async function signIn(method, path, body, options) {
    const isOther =
      path === "/counter/sign-in" &&
      /** @type {any} */ (body)?.staff_id !== me.staff_id;
    // Nothing of the one before may be sent when the session is another's.
    if (isOther) await onLeave();
    const answer = await call(method, path, body, options);
    if (isOther && answer.status !== 200) onArrive(false);
    return answer;
  }

  /**
   * @param {Person | null} person
   * @param {string} words
   */
  async function askWho(person, words) {
    asking += 1;
    // Without a session there is nothing behind this layer to go back to.
    close.hidden = words !== "";
    if (!sheet.open) sheet.showModal();
    const before = me.staff_id;
    me = await who.ask(person, words);
    asking -= 1;
    for (const name of document.querySelectorAll("[data-staff-name]")) {
      name.textContent = me.name;
    }
    sheet.close();
    onArrive(me.staff_id !== before);
  }

  function drawNames() {
    const others = people.filter(({ staff_id: id }) => id !== me.staff_id);
    names.replaceChildren(
      ...others.slice(0, NAMES_IN_MENU).map((person) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "btn btn--wide";
        const name = document.createElement("bdi");
        name.textContent = person.name;
        button.append(name);
        button.addEventListener("click", () => {
          menu.close();
          void askWho(person, "");
        });
        return button;
      }),
    );
  }

  sheet.addEventListener("cancel", (event) => close.hidden && event.preventDefault());
  part(menu, "[data-switch]").addEventListener("click", () => {
    menu.close();
    void askWho(null, "");
  });
  part(menu, "[data-sign-out]").addEventListener("click", async () => {
    const answer = await call("POST", "/counter/sign-out", null, { retry: 2 });
    if (answer.status !== 204) return;
    onSignOut();
    location.replace("/counter/");
  });

  return {
    /** Staff id of the person at the till. */
    who: () => me.staff_id,
    isAsking: () => asking > 0,
    openMenu() {
      drawNames();
      menu.showModal();
    },
    /** Nobody is at the till until somebody has typed a PIN. */
    lock() {
      for (const layer of document.querySelectorAll("dialog")) {
        if (layer !== sheet && layer.open) layer.close();
      }
      return askWho(me, texts.sign_in.locked);
    },
    /** The session ended while nobody asked for anything. */
    signInAgain: () => void (asking || askWho(me, texts.sign_in.ended)),
    /** Ask the server as the person at the till. */
    ask: createSession({ call, signIn: () => askWho(me, texts.sign_in.ended) }),
  };
}
