// @ts-check
/**
 * The person at the till: their menu, and the PIN over the page when it is needed.
 *
 * @module counter/desk
 *
 * @typedef {import("./who.js").Person} Person
 */

import { createSession } from "./session.js";
import { createWho } from "./who.js";
import { pageData, part } from "./words.js";

/**
 * @param {object} page
 * @param {any} page.texts
 * @param {string} page.lang
 * @param {import("./session.js").Call} page.call
 * @param {(id: string) => HTMLDialogElement} page.dialog
 * @param {() => void} page.onSignOut
 */
export function createDesk({ texts, lang, call, dialog, onSignOut }) {
  const sheet = dialog("who");
  const menu = dialog("menu");
  const close = part(sheet, "[data-close]");
  /** @type {Person} */
  let me = pageData("me");

  const who = createWho(sheet, {
    people: pageData("people"),
    texts: texts.sign_in,
    lang,
    call,
    onNoTill: () => location.replace("/counter/"),
  });

  /**
   * @param {Person | null} person
   * @param {string} words
   */
  async function askWho(person, words) {
    // Without a session there is nothing behind this layer to go back to.
    close.hidden = words !== "";
    sheet.showModal();
    me = await who.ask(person, words);
    for (const name of document.querySelectorAll("[data-staff-name]")) {
      name.textContent = me.name;
    }
    sheet.close();
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
    openMenu: () => menu.showModal(),
    /** Ask the server as the person at the till. */
    ask: createSession({ call, signIn: () => askWho(me, texts.sign_in.ended) }),
  };
}
