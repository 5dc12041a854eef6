// The controls: the network, the data and the training. Each change goes to Python; its answer is shown.

import { el } from "./dom.js";
import { place, prepared } from "./paint.js";

const LABELS = {
  circle: "Circle", xor: "XOR", gauss: "Gauss", spiral: "Spiral", moons: "Moons", plane: "Plane", hills: "Hills", own: "Yours",
  tanh: "tanh", relu: "ReLU", sigmoid: "sigmoid", leaky_relu: "Leaky ReLU", elu: "ELU", gelu: "GELU", silu: "SiLU", linear: "linear",
  bce: "cross-entropy", mse: "squared error", hinge: "hinge", huber: "Huber", l1: "absolute error",
  sgd: "SGD", momentum: "SGD, momentum", rmsprop: "RMSprop", adagrad: "Adagrad", adam: "Adam",
  he_uniform: "He", xavier_uniform: "Xavier", lecun_uniform: "LeCun", orthogonal: "orthogonal", zeros: "zeros",
};
const RATES = [1e-5, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const PENALTIES = [0, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 1];
const DROPS = [0, 0.1, 0.2, 0.3, 0.5];
const SELECTS = [
  ["activation", "Activation"], ["loss", "Loss"], ["optimizer", "Optimizer"], ["lr", "Learning rate", RATES],
  ["l1", "L1", PENALTIES], ["l2", "L2", PENALTIES], ["dropout", "Dropout", DROPS], ["init", "Initial weights"],
];
const SLIDERS = [
  ["noise", "Noise", 0, 0.5, 0.01, (v) => v.toFixed(2)],
  ["train", "Training share", 0.1, 0.9, 0.1, (v) => `${Math.round(100 * v)} %`],
  ["batch_size", "Batch size", 1, 64, 1, (v) => String(v)],
];

export class Controls {
  constructor(view) {
    this.view = view;
    this.selects = Object.fromEntries(SELECTS.map(([name, label, numbers]) => [name, this.select(name, label, numbers)]));
    this.checks = Object.fromEntries([["batch_norm", "Batch norm"], ["skip", "Skip connections"]].map(([name, label]) => {
      const input = el("input", { type: "checkbox", name, onchange: () => view.change({ [name]: input.checked }) });
      return [name, { input, element: el("label", { class: "check" }, input, label) }];
    }));
    this.settings = el("div", { class: "settings", role: "group", "aria-label": "Training" },
      SELECTS.map(([name]) => this.selects[name].element), el("div", { class: "checks" }, Object.values(this.checks).map((c) => c.element)));
    this.sets = el("div", { class: "sets", role: "radiogroup", "aria-label": "Data" });
    this.sliders = Object.fromEntries(SLIDERS.map((spec) => [spec[0], this.slider(...spec)]));
    this.data = el("section", { class: "data", "aria-label": "Data" },
      el("h2", {}, "Data"), this.sets, SLIDERS.map(([name]) => this.sliders[name].element),
      el("button", { type: "button", class: "quiet", onclick: () => view.change({ data_seed: view.wanted.data_seed + 1 }) }, "New samples"),
      el("button", { type: "button", class: "quiet", onclick: () => view.change({ seed: view.wanted.seed + 1 }) }, "New weights"));
    this.presets = el("select", { "aria-label": "Begin from a preset", class: "presets", onchange: () => {
      if (this.presets.value) view.restart(this.presets.value.slice(1));
      this.presets.value = "";
    } });
    this.depth = el("div", { class: "depth" });
  }

  select(name, label, numbers) {
    const select = el("select", { name, onchange: () => this.view.change({ [name]: numbers ? Number(select.value) : select.value }) });
    return { select, numbers, element: el("label", { class: "field" }, el("span", {}, label), select) };
  }

  slider(name, label, min, max, step, written) {
    const output = el("output", {});
    const input = el("input", {
      type: "range", name, min, max, step,
      oninput: () => { output.textContent = written(Number(input.value)); },
      onchange: () => this.view.change({ [name]: Number(input.value) }),
    });
    return { input, output, written, element: el("label", { class: "slide" }, el("span", {}, label), output, input) };
  }

  show(open) {
    const { settings, choices, limits } = open;
    for (const [name, { select, numbers }] of Object.entries(this.selects)) {
      const values = numbers ? [...new Set([...numbers, settings[name]])].sort((a, b) => a - b) : choices[name];
      fill(select, values.map((value) => [String(value), numbers ? String(value) : LABELS[value] ?? value]));
      select.value = String(settings[name]);
    }
    for (const [name, { input }] of Object.entries(this.checks)) input.checked = settings[name];
    for (const [name, { input, output, written }] of Object.entries(this.sliders)) {
      input.value = settings[name];
      output.textContent = written(settings[name]);
    }
    this.sliders.noise.input.disabled = settings.data === "own";
    fill(this.presets, [["", "Presets"], ...Object.entries(open.presets).map(([title, address]) => [`#${address}`, title])]);
    this.showSets(open);
    const layers = settings.layers.length;
    const add = (n) => () => {
      const wanted = this.view.wanted.layers;
      this.view.change({ layers: n > 0 ? [...wanted, wanted.at(-1) ?? 4] : wanted.slice(0, -1) });
    };
    const focused = this.depth.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    this.depth.replaceChildren(
      el("button", { type: "button", class: "small", "aria-label": "one layer less", disabled: layers === 0, onclick: add(-1) }, "−"),
      el("span", {}, `${layers} hidden layer${layers === 1 ? "" : "s"}`),
      el("button", { type: "button", class: "small", "aria-label": "one layer more", disabled: layers >= limits.layers, onclick: add(1) }, "+"));
    if (focused) this.depth.querySelector(`[aria-label="${focused}"]`)?.focus();
  }

  showSets(open) {
    const names = open.choices.data;
    if (this.sets.childElementCount !== names.length) {
      this.sets.replaceChildren(...names.map((name) => el("button", {
        type: "button", role: "radio", class: "set", "data-set": name, onclick: () => this.view.change({ data: name }),
        onkeydown: (event) => this.move(event, names),
      }, el("canvas", { class: "thumb", "aria-hidden": "true" }), el("span", {}, LABELS[name] ?? name))));
    }
    for (const button of this.sets.children) {
      const on = button.dataset.set === open.settings.data;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
  }

  // Arrow keys choose among the sets, as among radio buttons.
  move(event, names) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const next = names[(names.indexOf(event.currentTarget.dataset.set) + step + names.length) % names.length];
    this.sets.querySelector(`[data-set="${next}"]`).focus();
    this.view.change({ data: next });
  }

  draw(open, palette) {
    const { negative, positive } = palette.ends("values");
    for (const button of this.sets.children) {
      const { context, width, height } = prepared(button.firstElementChild);
      if (!width) continue;
      const dots = button.dataset.set === open.settings.data
        ? Array.from(open.arrays.targets, (t, k) => [open.arrays.points[2 * k], open.arrays.points[2 * k + 1], t - (open.settings.loss === "bce" ? 0.5 : 0)])
        : sketch(button.dataset.set);
      const extent = button.dataset.set === open.settings.data ? open.extent : [-1.2, 1.2, -1.2, 1.2];
      for (const [x1, x2, sign] of dots.slice(0, 110)) {
        const [x, y] = place(extent, x1, x2, width, height);
        context.fillStyle = sign > 0 ? positive : negative;
        context.beginPath();
        context.arc(x, y, 1.5, 0, 7);
        context.fill();
      }
    }
  }
}

// A few points of a set that is not chosen, to recognise it by.
function sketch(name) {
  const dots = [];
  let state = 1; // numbers that look random and are the same each time
  const uniform = () => { state = (state * 48271) % 2147483647; return state / 2147483647; };
  for (let k = 0; k < 90; k += 1) {
    const [u, v] = [uniform(), uniform()];
    const [a, b] = [2 * u - 1, 2 * v - 1];
    const t = u * 2 * Math.PI;
    const one = k % 2 ? 1 : -1;
    if (name === "circle") { const r = one > 0 ? 0.5 * Math.sqrt(v) : 0.75 + 0.25 * v; dots.push([r * Math.cos(t), r * Math.sin(t), one]); }
    else if (name === "xor") dots.push([a + 0.06 * Math.sign(a), b + 0.06 * Math.sign(b), -a * b]);
    else if (name === "gauss") { const r = 0.42 * Math.sqrt(v); dots.push([0.45 * one + r * Math.cos(t), 0.45 * one + r * Math.sin(t), one]); }
    else if (name === "spiral") { const s = 0.08 + 0.92 * u; const w = 11 * s + (one > 0 ? Math.PI : 0); dots.push([s * Math.cos(w), s * Math.sin(w), one]); }
    else if (name === "moons") { const w = Math.PI * u; dots.push(one < 0 ? [(Math.cos(w) - 0.5) / 1.5, (Math.sin(w) - 0.25) / 1.5, one] : [(0.5 - Math.cos(w)) / 1.5, (0.25 - Math.sin(w)) / 1.5, one]); }
    else if (name === "plane") dots.push([a, b, a + b]);
    else dots.push([a, b, Math.sin(3 * Math.atan2(b, a) + Math.PI / 2) * (Math.hypot(a, b) - 0.1)]);
  }
  return dots;
}

function fill(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset.options === key) return;
  select.dataset.options = key;
  select.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
}
