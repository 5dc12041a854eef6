"use strict";
const story = JSON.parse(document.getElementById("story").textContent);
const part = (id) => document.getElementById(id);
const cards = [...document.querySelectorAll("#graph [data-node]")];
const legs = [...document.querySelectorAll("#graph [data-edge]")].map((group) => ({
  group,
  ends: group.dataset.edge.split(" ").map((pair) => pair.split(",").map(Number)),
}));
const last = story.steps.length - 1;
const PAUSE = 1400;

// A formula is a list of [text, style]; text is set as text and never read as markup.
function set(target, formula) {
  target.replaceChildren(...formula.map(([text, style]) => {
    const tag = style.includes("-") ? "sub" : style.includes("^") ? "sup" : style.includes("i") ? "i" : "span";
    const element = document.createElement(tag);
    element.textContent = text;
    if (style.includes("i")) element.style.fontStyle = "italic";
    return element;
  }));
}

const rows = story.rows.map((row) => {
  const line = part("trace").insertRow();
  const [equation, value, terms, total] = ["math equation", "number value", "math terms", "number total"].map((name) => {
    const cell = line.insertCell();
    cell.className = name;
    return cell;
  });
  set(equation, row.forward);
  const pieces = [row.bar, ...row.terms].map((formula) => {
    const span = document.createElement("span");
    set(span, formula);
    return span;
  });
  terms.append(...pieces);
  return { card: row.card, line, value, total, pieces };
});

// What is known after a step follows from the steps before it alone, so any jump is exact.
function known(step) {
  const cards = story.rows.map(() => ({ value: null, total: null, complete: false, terms: 0 }));
  for (const { card, value, total, complete } of story.steps.slice(0, step + 1)) {
    if (card === null) continue;
    if (value !== null) cards[card].value = value;
    if (total !== null) Object.assign(cards[card], { total, complete, terms: cards[card].terms + 1 });
  }
  return cards;
}

function toggle(element, name, on) {
  element.classList.toggle(name, on);
}

function paintCard(group, state, active, backward, everything) {
  toggle(group, "active", active);
  toggle(group, "back", active && backward);
  toggle(group, "dim", !everything && state.value === null);
  for (const [role, text] of [["primal", state.value], ["adjoint", state.total]]) {
    const shown = group.querySelector(`[data-role=${role}]`);
    if (!shown) continue;
    if (shown.tagName === "text") shown.textContent = text ?? "·";
    else toggle(shown, "hidden", text === null);
    if (role === "adjoint") toggle(shown, "partial", shown.tagName !== "text" && text !== null && !state.complete);
  }
}

function paint(step) {
  const { phase, equation, numbers, note, card, wires } = story.steps[step];
  const state = known(step), backward = phase === "reverse", ended = phase === "done";
  toggle(document.body, "backward", backward || ended);
  set(part("equation"), equation);
  set(part("numbers"), numbers);
  part("note").textContent = note;
  part("phase").textContent = phase;
  part("count").textContent = `${step} / ${last}`;
  cards.forEach((group, index) => paintCard(group, state[index], index === card, backward, step === 0));
  const busy = wires.map((index) => story.wires[index].join());
  for (const { group, ends } of legs) {
    const active = ends.some((pair) => busy.includes(pair.join()));
    toggle(group, "active", active);
    toggle(group, "back", active && backward);
    toggle(group, "dim", step > 0 && ends.every(([, head]) => state[head].value === null));
  }
  for (const row of rows) {
    const { value, total, terms } = state[row.card];
    row.value.textContent = value ?? "";
    row.total.textContent = total ?? "";
    row.pieces.forEach((piece, k) => toggle(piece, "absent", k > terms || terms === 0));
    row.line.className = row.card === card ? phase : "";
  }
  for (const id of ["first", "back"]) part(id).disabled = step === 0;
  for (const id of ["next", "last"]) part(id).disabled = step === last;
  if (card !== null) reveal(cards[card]);
  return `${phase}, step ${step} of ${last}`;
}

// A large picture is scrolled to the card that the step is about: sideways in its frame, up and down with the page.
function reveal(group) {
  const view = part("graph"), outer = view.getBoundingClientRect(), inner = group.getBoundingClientRect();
  if (inner.left < outer.left) view.scrollLeft += inner.left - outer.left - 40;
  else if (inner.right > outer.right) view.scrollLeft += inner.right - outer.right + 40;
  const top = part("panel").getBoundingClientRect().bottom;
  if (inner.top < top) scrollBy(0, inner.top - top - 20);
  else if (inner.bottom > innerHeight) scrollBy(0, Math.min(inner.bottom - innerHeight + 20, inner.top - top - 20));
}

const asked = () => Number(/^#step=(\d{1,6})$/.exec(location.hash)?.[1] ?? 0);
addEventListener("hashchange", () => show(asked()));
const START = asked();
