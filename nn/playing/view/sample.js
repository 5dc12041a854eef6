// One sample, step by step: forward neuron by neuron, then backward edge by edge, with the numbers of the delta rule.

import { el, number, signed, sub, raised, pair, bar, neuronName } from "./dom.js";

// The steps of a sample: each has its text, its marks, and the numbers known so far.
export function story(open, sample) {
  const { layers } = sample;
  const last = layers.length;
  const name = (layer, unit) => neuronName(open, layer, unit);
  const delta = (layer, unit) => (layer === last ? "δ" : `δ${sub(unit + 1)}${raised(layer)}`);
  const z = (layer, unit) => (layer === last ? "z" : `z${sub(unit + 1)}${raised(layer)}`);
  const weight = (layer, unit, from) => `w${layer === last ? sub(from + 1) : pair(unit + 1, from + 1)}${raised(layer)}`;
  const value = (layer, unit) => (layer === 0 ? sample.inputs[unit] : layers[layer - 1].values[unit]);
  const steps = [];
  const figures = [];
  const add = (phase, lines, mark) => steps.push({ phase, lines, mark, figures: figures.map((row) => [...(row ?? [])]) });
  const set = (layer, unit, number_) => { (figures[layer] ??= [])[unit] = number_; };

  add("forward", [`sample ${sample.index + 1}: ${sample.inputs.map((v, k) => `${name(0, k)} = ${number(v)}`).join(", ")}; target ${number(sample.target, 2)}`], null);
  layers.forEach((layer, k) => layer.sums.forEach((sum, unit) => {
    const here = k + 1;
    const terms = layer.weights[unit].map((w, from) => `${from ? " + " : ""}${number(w)} · ${number(value(k, from))}`).join("");
    const lines = [`${z(here, unit)} = ${terms} ${signed(layer.biases[unit])} = ${number(sum)}`];
    if (here < last) lines.push(`${name(here, unit)} = ${number(layer.values[unit])}`);
    set(here, unit, layer.values[unit]);
    add("forward", lines, { layer: here, unit });
  }));
  add("forward", [`y = ${number(layers.at(-1).values[0])}, target ${number(sample.target, 2)}: loss L = ${number(sample.loss, 4)}`], { layer: last, unit: 0 });

  figures.length = 0;
  for (let here = last; here >= 1; here -= 1) {
    const layer = layers[here - 1];
    layer.sum_adjoints.forEach((share, unit) => {
      const lines = here === last
        ? [`δ = ∂L/∂y = ${number(share)}`]
        : [
          `${bar(name(here, unit))} = ${layers[here].sum_adjoints.map((d, to) => `${to ? " + " : ""}${number(layers[here].weights[to][unit])} · ${number(d)}`).join("")}${open.skips[here] ? ` ${signed(layers[here].value_adjoints[unit])}` : ""} = ${number(layer.value_adjoints[unit])}`,
          `${delta(here, unit)} = ${bar(name(here, unit))} · ∂${name(here, unit)}/∂${z(here, unit)} = ${number(share)}`,
        ];
      lines.push(`${bar(`b${sub(unit + 1)}${raised(here)}`)} = ${delta(here, unit)} = ${number(layer.bias_adjoints[unit])}`);
      set(here, unit, share);
      add("backward", lines, { layer: here, unit });
      layer.weights[unit].forEach((_, from) => {
        add("backward", [
          `${bar(weight(here, unit, from))} = ${delta(here, unit)} · ${name(here - 1, from)} = ${number(share)} · ${number(value(here - 1, from))} = ${number(layer.weight_adjoints[unit][from])}`,
        ], { layer: here, unit, from });
      });
    });
  }
  return steps;
}

export class Sample {
  constructor(view) {
    this.view = view;
    this.index = 0;
    this.at = 0;
    this.steps = [];
    const button = (label, text, act) => el("button", { type: "button", class: "small wide", "aria-label": label, title: label, onclick: act }, text);
    this.phase = el("span", { class: "phase" }, "forward");
    this.count = el("span", { class: "count" });
    this.slider = el("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "Step", oninput: () => this.show(Number(this.slider.value)) });
    this.playing = button("Play the steps", "Play", () => this.play());
    this.lines = el("div", { class: "story math", "aria-live": "polite" });
    this.element = el("div", { class: "sample" },
      el("div", { class: "row" },
        this.phase, button("Step back", "‹", () => this.show(this.at - 1)), this.playing, button("Step forward", "›", () => this.show(this.at + 1)),
        this.slider, this.count,
        button("Previous sample", "Previous sample", () => this.choose(this.index - 1)), button("Next sample", "Next sample", () => this.choose(this.index + 1))),
      this.lines,
      el("p", { class: "hint" }, "Choose a sample by a click into the map on the right. Weights stay as they are; the numbers are those of this one sample."));
  }

  async choose(index, keep = false) {
    const { content } = await this.view.ask({ do: "sample", index });
    if (!content.sample || !this.view.showing("sample")) return;
    this.index = content.sample.index;
    this.steps = story(this.view.open, content.sample);
    this.slider.max = this.steps.length - 1;
    this.show(keep ? this.at : 0);
    this.view.drawPoints();
  }

  show(at) {
    if (!this.steps.length) return;
    this.at = Math.max(0, Math.min(this.steps.length - 1, at));
    const step = this.steps[this.at];
    this.slider.value = this.at;
    this.count.textContent = `${this.at + 1} / ${this.steps.length}`;
    this.phase.textContent = step.phase;
    this.element.dataset.phase = step.phase;
    this.lines.replaceChildren(...step.lines.map((line) => el("div", {}, line)));
    this.view.network.figures(step.figures);
    this.view.network.element.dataset.phase = step.phase;
    this.view.network.mark(step.mark);
  }

  play() {
    if (this.timer) return this.stop();
    if (this.at === this.steps.length - 1) this.show(0);
    this.playing.textContent = "Pause";
    this.timer = setInterval(() => {
      this.show(this.at + 1);
      if (this.at === this.steps.length - 1) this.stop();
    }, 700);
    return undefined;
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.playing.textContent = "Play";
  }

  leave() {
    this.stop();
    this.steps = [];
    this.view.network.figures(null);
    this.view.network.mark(null);
    this.view.drawPoints();
  }
}
