// The network: neurons as maps in columns, weights as lines between them, and the text about the one pointed at.

import { el, number, signed, sub, raised, pair, bar, inputName, neuronName } from "./dom.js";
import { drawMap } from "./paint.js";

const FORMULAS = {
  tanh: "tanh", relu: "ReLU", sigmoid: "σ", leaky_relu: "LeakyReLU", elu: "ELU", gelu: "GELU", silu: "SiLU", linear: "",
};

export class Network {
  constructor(view) {
    this.view = view;
    this.lines = el("svg", { class: "lines", "aria-hidden": "true" });
    this.columns = el("div", { class: "columns" });
    this.element = el("div", { class: "network", role: "group", "aria-label": "Network" }, this.lines, this.columns);
    this.resized = new ResizeObserver(() => this.layout());
    this.resized.observe(this.columns);
  }

  // Build the elements for a network: the tiles of each layer, and a path for each weight.
  build(open) {
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.open = open;
    this.tiles = [this.inputTiles(open)];
    const columns = [this.column("inputs", null, open.choices.inputs.map((name) => this.inputTile(name)))];
    open.settings.layers.forEach((units, k) => {
      const tiles = Array.from({ length: units }, (_, unit) => this.tile(k + 1, unit));
      this.tiles.push(tiles);
      columns.push(this.column(`layer ${k + 1}`, k, tiles));
    });
    const output = [this.tile(open.settings.layers.length + 1, 0)];
    this.tiles.push(output);
    columns.push(this.column("output", null, output));
    this.tiles[0] = open.settings.inputs.map((name) => this.inputsByName[name]);
    this.element.classList.toggle("dense", open.settings.layers.length > 6);
    this.columns.replaceChildren(...columns.map((column) => column.element));
    this.notes = columns.map((column) => column.note);
    this.edges = [];
    this.tiles.slice(1).forEach((tiles, k) => tiles.forEach((_, unit) => this.tiles[k].forEach((__, from) => {
      this.edges.push({ layer: k + 1, unit, from, path: el("path", { class: "weight" }), hit: el("path", { class: "hit" }) });
    })));
    for (const edge of this.edges) {
      edge.hit.addEventListener("pointerenter", () => this.view.point({ layer: edge.layer, unit: edge.unit, from: edge.from }));
      edge.hit.addEventListener("pointerleave", () => this.view.point(null));
    }
    this.lines.replaceChildren(...this.edges.map((edge) => edge.path), ...this.edges.map((edge) => edge.hit));
    if (focused) this.element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.layout();
  }

  inputTiles() { this.inputsByName = {}; return []; }

  inputTile(name) {
    const canvas = el("canvas", { width: 30, height: 30 });
    const on = this.open.settings.inputs.includes(name);
    const button = el("button", {
      class: "tile input", type: "button", "aria-pressed": String(on), "data-key": `input ${name}`,
      "aria-label": `input ${inputName(name)}`, title: `input ${inputName(name)}: ${on ? "leave out" : "add"}`,
      onclick: () => this.view.toggleInput(name),
    }, el("span", { class: "name math" }, inputName(name)), canvas);
    button.canvas = canvas;
    this.inputsByName[name] = button;
    return button;
  }

  tile(layer, unit) {
    const canvas = el("canvas", { width: 30, height: 30 });
    const place = { layer, unit };
    const output = layer > this.open.settings.layers.length;
    const number = el("span", { class: "figure" });
    const button = el("button", {
      class: "tile", type: "button", "data-key": `neuron ${layer} ${unit}`,
      "aria-label": output ? "output" : `layer ${layer}, neuron ${unit + 1}`,
      onpointerenter: () => this.view.point(place), onpointerleave: () => this.view.point(null),
      onfocus: () => this.view.point(place), onblur: () => this.view.point(null),
      onclick: () => this.view.pin(place),
    }, canvas, number, el("span", { class: "bias", title: "bias" }));
    button.canvas = canvas;
    button.figure = number;
    return button;
  }

  column(title, hidden, tiles) {
    const { layers } = this.open.settings;
    const change = (by) => () => this.view.change({ layers: this.view.wanted.layers.map((n, k) => (k === hidden ? n + by : n)) });
    const heading = hidden == null
      ? el("div", { class: "heading" }, el("span", {}, title))
      : el("div", { class: "heading" },
        el("button", {
          type: "button", class: "small", "aria-label": `${title}: one neuron less`, "data-key": `less ${hidden}`,
          disabled: layers[hidden] <= 1, onclick: change(-1),
        }, "−"),
        el("span", { title: `${title}: ${layers[hidden]} neurons` }, String(layers[hidden])),
        el("button", {
          type: "button", class: "small", "aria-label": `${title}: one neuron more`, "data-key": `more ${hidden}`,
          disabled: layers[hidden] >= this.open.limits.units, onclick: change(1),
        }, "+"));
    const note = el("div", { class: "note" }, el("span", { class: "gauge" }, el("i")), el("span", { class: "size" }));
    return { element: el("div", { class: "column" }, heading, el("div", { class: "tiles" }, tiles), note), note };
  }

  // The ends of the lines: from the right side of a tile to the left side of the next.
  layout() {
    if (!this.edges) return;
    const origin = this.columns.getBoundingClientRect();
    const boxes = this.tiles.map((tiles) => tiles.map((tile) => tile.canvas.getBoundingClientRect()));
    this.lines.setAttribute("viewBox", `0 0 ${origin.width} ${origin.height}`);
    this.lines.style.width = `${origin.width}px`;
    this.lines.style.height = `${origin.height}px`;
    for (const edge of this.edges) {
      const [from, to] = [boxes[edge.layer - 1][edge.from], boxes[edge.layer][edge.unit]];
      const [x, y] = [from.right - origin.left, from.top + from.height / 2 - origin.top];
      const spread = (edge.from - (this.tiles[edge.layer - 1].length - 1) / 2) * Math.min(3, 26 / this.tiles[edge.layer - 1].length);
      const [u, v] = [to.left - origin.left, to.top + to.height / 2 - origin.top + spread];
      const bend = (u - x) / 2;
      const d = `M${x.toFixed(1)} ${y.toFixed(1)}C${(x + bend).toFixed(1)} ${y.toFixed(1)} ${(u - bend).toFixed(1)} ${v.toFixed(1)} ${u.toFixed(1)} ${v.toFixed(1)}`;
      edge.path.setAttribute("d", d);
      edge.hit.setAttribute("d", d);
    }
  }

  // The position of a layer's weights among all of them: weights (out, in), then biases.
  offset(layer) {
    const counts = this.tiles.map((tiles) => tiles.length);
    let offset = 0;
    for (let k = 1; k < layer; k += 1) offset += counts[k] * (counts[k - 1] + 1);
    return offset;
  }

  weight(array, { layer, unit, from }) { return array[this.offset(layer) + unit * this.tiles[layer - 1].length + from]; }
  bias(array, { layer, unit }) { return array[this.offset(layer) + this.tiles[layer].length * this.tiles[layer - 1].length + unit]; }

  // The maps of a frame, one for each hidden neuron in order.
  map(frame, { layer, unit }) {
    const size = this.open.side ** 2;
    const before = this.open.settings.layers.slice(0, layer - 1).reduce((sum, n) => sum + n, 0);
    return frame.arrays.maps.subarray((before + unit) * size, (before + unit + 1) * size);
  }

  draw(frame, palette) {
    const kind = frame.content.adjoints ? "adjoints" : "values";
    const [values, colours] = [palette.ramp("values"), palette.ramp(kind)];
    if (this.drawnInputs !== this.open || this.drawnTone !== palette.tone) {
      const size = this.open.side ** 2;
      this.open.choices.inputs.forEach((name, k) => {
        drawMap(this.inputsByName[name].canvas, this.open.arrays.input_maps.subarray(k * size, (k + 1) * size), values);
      });
      [this.drawnInputs, this.drawnTone] = [this.open, palette.tone];
    }
    this.tiles.slice(1, -1).forEach((tiles, k) => tiles.forEach((tile, unit) => {
      drawMap(tile.canvas, this.map(frame, { layer: k + 1, unit }), colours);
    }));
    drawMap(this.tiles.at(-1)[0].canvas, frame.arrays.output, values);
    const array = frame.content.adjoints ? frame.arrays.weight_adjoints : frame.arrays.weights;
    const largest = array.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 1e-12);
    const { negative, positive } = palette.ends(kind);
    let k = 0;
    let offset = 0;
    for (let layer = 1; layer < this.tiles.length; layer += 1) {
      const [units, inputs] = [this.tiles[layer].length, this.tiles[layer - 1].length];
      for (let j = 0; j < units * inputs; j += 1, k += 1) {
        const linear = Math.min(1, Math.abs(array[offset + j]) / largest) || 0;
        const share = frame.content.adjoints ? Math.sqrt(linear) : linear; // adjoints differ by powers of ten
        const look = `${array[offset + j] < 0 ? negative : positive} ${(0.4 + 5.6 * share).toFixed(1)} ${(0.18 + 0.72 * Math.sqrt(share)).toFixed(2)}`;
        const edge = this.edges[k];
        if (edge.look !== look) { // most weights move little from one frame to the next
          edge.look = look;
          [edge.path.style.stroke, edge.path.style.strokeWidth, edge.path.style.strokeOpacity] = look.split(" ");
        }
      }
      for (let unit = 0; unit < units; unit += 1) {
        const bias = array[offset + units * inputs + unit];
        const dot = this.tiles[layer][unit].lastElementChild;
        const look = `${bias < 0 ? negative : positive} ${(0.2 + 0.8 * Math.min(1, Math.abs(bias) / largest)).toFixed(1)}`;
        if (dot.look !== look) {
          dot.look = look;
          [dot.style.background, dot.style.opacity] = look.split(" ");
        }
      }
      offset += units * (inputs + 1);
    }
    if (frame.content.adjoints) this.drawSizes(frame);
  }

  // Under each layer the size of its neurons' adjoints: a bar over seven powers of ten.
  drawSizes(frame) {
    frame.content.sizes.forEach((size, k) => {
      const note = this.notes[k + 1];
      const share = size > 0 ? Math.max(0, Math.min(1, (Math.log10(size) + 6) / 7)) : 0;
      note.querySelector("i").style.width = `${(100 * share).toFixed(0)}%`;
      note.querySelector(".size").textContent = size == null ? "not finite"
        : size >= 0.01 ? size.toPrecision(1) : size.toExponential(0).replace("-", "−");
    });
  }

  // Mark a neuron or weight, or none.
  mark(place) {
    for (const edge of this.edges ?? []) {
      const on = place && edge.layer === place.layer && edge.unit === place.unit && (place.from == null || edge.from === place.from);
      edge.path.classList.toggle("marked", Boolean(on));
    }
    this.tiles?.forEach((tiles, layer) => tiles.forEach((tile, unit) => {
      tile.classList.toggle("marked", Boolean(place && place.layer === layer && place.unit === unit));
    }));
  }

  // The numbers of one sample on the neurons: figures[layer][unit], or null for none.
  figures(figures) {
    this.element.classList.toggle("figured", Boolean(figures));
    this.tiles.slice(1).forEach((tiles, k) => tiles.forEach((tile, unit) => {
      const value = figures?.[k + 1]?.[unit];
      tile.figure.textContent = value == null ? "" : number(value, 2);
    }));
  }

  // The lines of text about a neuron or weight.
  said(place, frame) {
    const { layer, unit, from } = place;
    const { weights, weight_adjoints: adjoints } = frame.arrays;
    const last = layer === this.tiles.length - 1;
    const name = (k, n) => neuronName(this.open, k, n);
    const pulled = (k, n) => (k === this.tiles.length - 1 ? "δ" : `δ${sub(n + 1)}${raised(k)}`);
    if (from != null) {
      const index = `w${last ? sub(from + 1) : pair(unit + 1, from + 1)}${raised(layer)}`;
      return [
        ["weight", `from ${name(layer - 1, from)} to ${name(layer, unit)}`],
        ["value", `${index} = ${number(this.weight(weights, place))}`],
        ["adjoint", `${bar(index)} = Σ ${pulled(layer, unit)} ${name(layer - 1, from)} = ${number(this.weight(adjoints, place))}`],
      ];
    }
    const terms = this.tiles[layer - 1].map((_, k) => {
      const value = this.weight(weights, { layer, unit, from: k });
      return `${k ? ` ${signed(value)}` : number(value)} ${name(layer - 1, k)}`;
    }).join("");
    const around = last ? [] : [FORMULAS[this.open.settings.activation], this.open.settings.batch_norm && "norm"].filter(Boolean);
    const [before, after] = [around.map((f) => `${f}(`).join(""), ")".repeat(around.length)];
    const added = this.open.skips[layer - 1] ? `${name(layer - 1, unit)} + ` : "";
    const said = [
      [last ? "output" : "neuron", last ? "y" : `${name(layer, unit)}: layer ${layer}, neuron ${unit + 1}; its map is full colour at ±${number(frame.content.scales[layer - 1][unit])}`],
      ["value", `${name(layer, unit)} = ${added}${before}${terms} ${signed(this.bias(weights, place))}${after}`],
    ];
    if (last) said.push(["adjoint", `δ = ∂L/∂y,  b̄ = Σ δ = ${number(this.bias(adjoints, place))}`]);
    else {
      const next = this.tiles[layer + 1].map((_, k) => {
        const value = this.weight(weights, { layer: layer + 1, unit: k, from: unit });
        return `${k ? ` ${signed(value)}` : number(value)} ${pulled(layer + 1, k)}`;
      }).join("");
      const past = this.open.skips[layer] ? ` + ${bar(name(layer + 1, unit))}` : "";
      said.push(["adjoint", `${bar(name(layer, unit))} = ${next}${past},  b̄${sub(unit + 1)}${raised(layer)} = Σ ${pulled(layer, unit)} = ${number(this.bias(adjoints, place))}`]);
      said.push(["size", `of ${bar(name(layer, unit))} over the training samples, root mean square: ${number(frame.content.neuron_sizes[layer - 1][unit])}`]);
    }
    return said;
  }
}
