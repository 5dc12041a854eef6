"use strict";
const part = (id) => document.getElementById(id);

// One picture of the page: its cards, its wires, and which of its cards open another.
function read(section) {
  const picture = section.querySelector("svg");
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
  const { within, card } = section.dataset;
  return { section, picture, cards, wires, before, after, within: Number(within), card: Number(card), opens: new Map() };
}

const views = [...document.querySelectorAll("section")].map(read);
views.forEach((view, k) => view.within >= 0 && views[view.within].opens.set(view.card, k));
let open = 0; // the view that is shown
let kept = null; // the card in it that was clicked: it stays highlighted

// All cards that a card was computed from, or that were computed from it.
function reached(card, next) {
  const found = new Set([card]);
  for (const each of found) for (const other of next.get(each) ?? []) found.add(other);
  return found;
}

function light(card) {
  const { cards, wires, before, after } = views[open], known = cards.has(card);
  const up = known ? reached(card, before) : new Set(), down = known ? reached(card, after) : new Set();
  for (const [index, group] of cards) group.classList.toggle("dim", known && !up.has(index) && !down.has(index));
  for (const { group, pairs } of wires) {
    const lit = pairs.some(([tail, head]) => up.has(head) || down.has(tail));
    group.classList.toggle("dim", known && !lit);
  }
}

const cardAt = (target) => {
  const group = target.closest?.("[data-node]");
  return group ? Number(group.dataset.node) : null;
};

// The path from the whole picture to the view that is shown, as buttons that lead back.
function way() {
  const steps = [];
  for (let k = open; k >= 0; k = views[k].within) steps.unshift(k);
  part("way").replaceChildren(...steps.map((k) => {
    const step = document.createElement("button");
    step.textContent = views[k].section.getAttribute("aria-label");
    step.disabled = k === open;
    step.addEventListener("click", () => show(k));
    return step;
  }));
  part("way").hidden = open === 0;
  part("hint").hidden = open !== 0 || views.length === 1;
}

function show(view) {
  const from = open;
  light(kept = null);
  open = view;
  views.forEach(({ section }, k) => section.classList.toggle("open", k === open));
  way();
  scale(readable());
  scrollTo(0, 0);
  let back = from; // the card that the view was opened from, if there is one
  while (back >= 0 && views[back].within !== open) back = views[back].within;
  const card = back >= 0 && from !== open ? views[open].cards.get(views[back].card) : null;
  if (card) {
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "center", inline: "center" });
  }
}

function press(card) {
  if (views[open].opens.has(card)) return show(views[open].opens.get(card));
  kept = card === kept ? null : card;
  light(kept);
}

for (const { picture, cards, opens } of views) {
  for (const [index, group] of cards) {
    group.setAttribute("tabindex", "0");
    group.classList.toggle("opens", opens.has(index));
  }
  for (const name of ["pointerover", "focusin"]) picture.addEventListener(name, ({ target }) => light(cardAt(target) ?? kept));
  for (const name of ["pointerleave", "focusout"]) picture.addEventListener(name, () => light(kept));
  picture.addEventListener("click", ({ target }) => press(cardAt(target)));
  picture.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) picture.addEventListener(name, lift);
}

const MOST = 8, SMALLEST = 0.75;
let zoom = 1;

// A picture that fits into a usual window keeps its size in a narrow one: smaller text would be unreadable.
function readable() {
  const { width } = views[open].picture.viewBox.baseVal;
  return width < 953 && innerWidth < SMALLEST * width ? width / document.body.clientWidth : 1;
}

// The point of the picture under (x, y) stays there; at scale 1 the picture is as wide as the window allows.
function scale(to, x = innerWidth / 2, y = innerHeight / 2) {
  const { picture } = views[open];
  const old = picture.getBoundingClientRect(), right = (x - old.left) / old.width, down = (y - old.top) / old.height;
  zoom = Math.min(MOST, Math.max(1, to));
  picture.style.width = "";
  picture.style.maxWidth = "100%";
  if (zoom > 1) {
    const width = picture.getBoundingClientRect().width * zoom;
    picture.style.maxWidth = "none";
    picture.style.width = `${width}px`;
  }
  const now = picture.getBoundingClientRect();
  scrollBy(now.left + right * now.width - x, now.top + down * now.height - y);
  part("fit").textContent = `${Math.round(zoom * 100)} %`;
  bars();
}

// A scroll bar takes width, so the picture would get smaller: there is no bar if everything is in view.
function bars() {
  const root = document.documentElement;
  root.style.overflow = "hidden";
  if (zoom > 1 || document.body.getBoundingClientRect().height > innerHeight) root.style.overflow = "";
}
addEventListener("resize", bars);

addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // without these the wheel scrolls
  event.preventDefault();
  scale(zoom * 1.0015 ** -event.deltaY, event.clientX, event.clientY);
}, { passive: false });

// One finger scrolls, as usual; two fingers zoom. A mouse drags.
const fingers = new Map();

function move(event) {
  if (event.pointerType === "mouse") {
    if (event.buttons === 1) scrollBy(-event.movementX, -event.movementY);
    return;
  }
  const apart = () => {
    const [a, b] = [...fingers.values()];
    return [Math.hypot(a.x - b.x, a.y - b.y), (a.x + b.x) / 2, (a.y + b.y) / 2];
  };
  const before = fingers.size === 2 ? apart() : null;
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (!before || fingers.size !== 2) return;
  const [distance, x, y] = apart();
  if (before[0] > 0) scale((zoom * distance) / before[0], x, y);
}

function lift(event) {
  fingers.delete(event.pointerId);
}

// The search looks for names in all views and shows the first match; Enter goes to the next one.
const words = views.flatMap((view, k) => [...view.cards].map(([card, group]) => (
  { view: k, card, group, text: group.textContent.toLowerCase() }
)));
let found = [], place = 0;

function goto(to) {
  for (const { group } of found) group.classList.remove("found");
  part("found").textContent = part("search").value ? `${found.length ? to + 1 : 0} of ${found.length}` : "";
  place = to;
  if (!found.length) return;
  const { view, group } = found[to];
  if (view !== open) show(view);
  for (const each of found) each.group.classList.toggle("found", each.view === open);
  group.scrollIntoView({ block: "center", inline: "center" });
  group.classList.add("found");
  light(found[to].card);
}

part("search").addEventListener("input", ({ target }) => {
  const asked = target.value.trim().toLowerCase(), hits = asked ? words.filter(({ text }) => text.includes(asked)) : [];
  for (const { group } of found) group.classList.remove("found");
  found = hits;
  if (!hits.length) light(kept);
  goto(0);
});
part("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && found.length) goto((place + (event.shiftKey ? found.length - 1 : 1)) % found.length);
  else if (event.key === "Escape") {
    event.target.value = "";
    event.target.dispatchEvent(new Event("input"));
    event.target.blur();
  } else return;
  event.preventDefault();
  event.stopPropagation();
});

const moves = { in: () => scale(zoom * 1.25), out: () => scale(zoom / 1.25), fit: () => scale(1) };
const keys = { "+": "in", "=": "in", "-": "out", "0": "fit" };
for (const [name, act] of Object.entries(moves)) part(name).addEventListener("click", act);
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.id === "search") return;
  if (Object.hasOwn(keys, event.key)) moves[keys[event.key]]();
  else if (event.key === "/") part("search").focus();
  else if (event.key === "Escape" && kept !== null) light(kept = null);
  else if ((event.key === "Escape" || event.key === "Backspace") && open !== 0) show(views[open].within);
  else if (event.key === "Enter" && cardAt(event.target) !== null) press(cardAt(event.target));
  else return;
  event.preventDefault();
});

document.body.classList.add("live");
part("tools").hidden = false;
show(0);
