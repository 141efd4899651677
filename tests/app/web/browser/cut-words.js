// Words that nobody can read: they stick out of the window, or of what clips them. A name
// that ends in dots by design, and what is for screen readers, are no such words.
() => {
  const shown = [...document.querySelectorAll("dialog[open]")].at(-1)
    ?? document.querySelector("#answer:not([hidden]), #news:not([hidden])")
    ?? document.body;
  const mayEnd = ".sr-only, .skip, .postmark, .top__side .chip, .account__door, .till__place, .till__chip";
  const clips = (box) => /hidden|clip/.test(getComputedStyle(box).overflow);
  const scrolls = (box) => /auto|scroll/.test(getComputedStyle(box).overflowX + getComputedStyle(box).overflowY);
  const cut = [];
  const walker = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.textContent.trim() || !parent.checkVisibility() || parent.closest(mayEnd)) continue;
    if (parent.closest("script, style, template, textarea, svg")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const word of range.getClientRects()) {
      if (!word.width) continue;
      let left = 0, right = innerWidth, bottom = Infinity;
      for (let box = parent; box && box !== document.documentElement; box = box.parentElement) {
        if (scrolls(box)) { left = -Infinity; right = Infinity; bottom = Infinity; break; }
        if (!clips(box)) continue;
        const edge = box.getBoundingClientRect();
        left = Math.max(left, edge.left); right = Math.min(right, edge.right);
        bottom = Math.min(bottom, edge.bottom);
      }
      if (word.left < left - 1.5 || word.right > right + 1.5 || word.bottom > bottom + 4) {
        cut.push(node.textContent.trim().slice(0, 40));
        break;
      }
    }
  }
  return cut;
}
