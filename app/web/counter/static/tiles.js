// @ts-check
/**
 * The tiles of the till: one tap is one of it.
 *
 * @module counter/tiles
 *
 * @typedef {import("./basket.js").Item} Item
 * @typedef {{ id: string, price: number, element: HTMLElement, show: (count: number, price: string) => void }} Tile
 */

import { fill } from "./words.js";

/**
 * @param {Item} item
 * @param {(id: string) => void} add
 * @param {any} texts - of the sale
 * @returns {Tile}
 */
export function tile({ item_id: id, name, price, is_favourite: isFavourite }, add, texts) {
  const button = element("button", "tile");
  button.setAttribute("type", "button");
  button.classList.toggle("tile--favourite", isFavourite);
  // A bdi of its own would be ranged by the name's letters, not by the page's.
  const words = element("span", "tile__name");
  words.append(element("bdi", "", name));
  const cost = element("span", "tile__price");
  const badge = element("span", "tile__count");
  badge.setAttribute("aria-hidden", "true");
  button.append(words, cost, badge);
  button.addEventListener("click", () => add(id));
  return {
    id,
    price,
    element: button,
    show(count, told) {
      cost.textContent = told;
      badge.textContent = count ? String(count) : "";
      badge.hidden = !count;
      button.classList.toggle("tile--chosen", count > 0);
      const label = count ? fill(texts.tile_chosen, { name, price: told, count }) : fill(texts.tile, { name, price: told });
      button.setAttribute("aria-label", label.replace(/[\u2068\u2069]/g, ""));
    },
  };
}

/**
 * Put tiles under the names of their groups: favourites first, without a name.
 *
 * @param {Item[]} items
 * @param {Tile[]} tiles - in the same order
 * @returns {HTMLElement[]}
 */
export function groups(items, tiles) {
  /** @type {Map<string, HTMLElement[]>} */
  const byName = new Map([["", []]]);
  items.forEach(({ category, is_favourite: isFavourite }, at) => {
    const group = isFavourite ? "" : category;
    const made = tiles[at]?.element;
    if (made) byName.set(group, [...(byName.get(group) ?? []), made]);
  });
  return [...byName].filter(([, made]) => made.length).map(([name, made]) => {
    const group = element("section", "tiles__group");
    if (name) {
      const title = element("h3", "tiles__title");
      title.append(element("bdi", "", name));
      group.append(title);
    }
    const grid = element("div", "tiles");
    grid.append(...made);
    group.append(grid);
    return group;
  });
}

/**
 * A line of what was tapped so far, with one less and one more.
 *
 * @param {Item} item
 * @param {{ add: (id: string) => void, take: (id: string) => void, texts: any }} page
 * @returns {{ id: string, element: HTMLElement, show: (count: number) => void }}
 */
export function basketRow({ item_id: id, name }, { add, take, texts }) {
  const row = element("li", "basket__row");
  const many = element("span", "basket__count");
  row.append(
    element("bdi", "basket__name", name),
    step("−", fill(texts.less, { name }), () => take(id)),
    many,
    step("+", fill(texts.more, { name }), () => add(id)),
  );
  return {
    id,
    element: row,
    show(count) {
      row.hidden = !count;
      many.textContent = String(count);
    },
  };
}

/** @param {string} sign @param {string} label @param {() => void} act */
function step(sign, label, act) {
  const button = element("button", "btn basket__step", sign);
  button.setAttribute("type", "button");
  button.setAttribute("aria-label", label.replace(/[\u2068\u2069]/g, ""));
  button.addEventListener("click", act);
  return button;
}

/** @param {string} tag @param {string} className @param {string} [text] */
function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
