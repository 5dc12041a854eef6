"use strict";
const picture = document.querySelector("svg");
const cards = new Map([...picture.querySelectorAll("[data-node]")].map((group) => [Number(group.dataset.node), group]));
const wires = [...picture.querySelectorAll("[data-edge]")].map((group) => ({
  group,
  pairs: group.dataset.edge.split(" ").map((pair) => pair.split(",").map(Number)),
}));
const before = new Map(), after = new Map();
for (const [tail, head] of wires.flatMap(({ pairs }) => pairs)) {
  before.set(head, [...(before.get(head) ?? []), tail]);
  after.set(tail, [...(after.get(tail) ?? []), head]);
}

// Everything that a card was computed from, or that was computed from it.
function reached(card, next) {
  const found = new Set([card]);
  for (const each of found) for (const other of next.get(each) ?? []) found.add(other);
  return found;
}

function light(card) {
  const known = cards.has(card);
  const up = known ? reached(card, before) : new Set(), down = known ? reached(card, after) : new Set();
  for (const [index, group] of cards) group.classList.toggle("dim", known && !up.has(index) && !down.has(index));
  for (const { group, pairs } of wires) {
    const lit = pairs.some(([tail, head]) => up.has(head) || down.has(tail));
    group.classList.toggle("dim", known && !lit);
  }
}

let kept = null; // the card that was clicked: it stays lit
const cardAt = (target) => {
  const group = target.closest?.("[data-node]");
  return group ? Number(group.dataset.node) : null;
};
for (const group of cards.values()) group.setAttribute("tabindex", "0");
for (const name of ["pointerover", "focusin"]) picture.addEventListener(name, ({ target }) => light(cardAt(target) ?? kept));
for (const name of ["pointerleave", "focusout"]) picture.addEventListener(name, () => light(kept));
picture.addEventListener("click", ({ target }) => {
  const card = cardAt(target);
  kept = card === kept ? null : card;
  light(kept);
});

const MOST = 8;
let zoom = 1;

// The point of the picture that is under (x, y) stays there; at 1 the picture is as wide as the window lets it be.
function scale(to, x = innerWidth / 2, y = innerHeight / 2) {
  const old = picture.getBoundingClientRect(), right = (x - old.left) / old.width, down = (y - old.top) / old.height;
  zoom = Math.min(MOST, Math.max(1, to));
  picture.style.width = picture.style.maxWidth = "";
  picture.style.maxWidth = "100%";
  if (zoom > 1) {
    const width = picture.getBoundingClientRect().width * zoom;
    picture.style.maxWidth = "none";
    picture.style.width = `${width}px`;
  }
  const now = picture.getBoundingClientRect();
  scrollBy(now.left + right * now.width - x, now.top + down * now.height - y);
  document.getElementById("fit").textContent = `${Math.round(zoom * 100)} %`;
}

addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // without these the wheel scrolls
  event.preventDefault();
  scale(zoom * 1.0015 ** -event.deltaY, event.clientX, event.clientY);
}, { passive: false });

const moves = { in: () => scale(zoom * 1.25), out: () => scale(zoom / 1.25), fit: () => scale(1) };
const keys = { "+": "in", "=": "in", "-": "out", "0": "fit" };
for (const [name, move] of Object.entries(moves)) document.getElementById(name).addEventListener("click", move);
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (Object.hasOwn(keys, event.key)) moves[keys[event.key]]();
  else if (event.key === "Escape") light(kept = null);
  else if (event.key === "Enter" && cardAt(event.target) !== null) light(kept = cardAt(event.target));
  else return;
  event.preventDefault();
});

picture.addEventListener("pointermove", (event) => {
  if (event.buttons === 1 && event.pointerType === "mouse") scrollBy(-event.movementX, -event.movementY);
});
document.getElementById("zoom").hidden = false;
