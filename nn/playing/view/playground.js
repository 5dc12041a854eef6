// The view: it shows an experiment in Python and sends it requests. The entry point is `mount`.

import { el, number } from "./dom.js";
import { Palette, drawCurves, drawLandscape, drawMap, drawSamples, place } from "./paint.js";
import { Network } from "./network.js";
import { Controls } from "./controls.js";
import { Sample } from "./sample.js";

const SPEEDS = { slow: { batches: 1 }, normal: { train: 0.02 }, fast: { train: 0.035 } };
const TABS = [["trace", "Formula"], ["sample", "One sample"], ["landscape", "Loss landscape"], ["code", "Code"]];
const LANDSCAPE_EVERY = 1500; // milliseconds, while it trains

// Show the playground in `root`. `channel.ask(message)` gives a promise of {content, arrays}; `channel.address(text)`,
// if there is one, receives the settings as text. Returns the view: `end()` ends it, `refresh()` shows Python's changes.
export function mount(root, channel) {
  const view = new View(root, channel);
  view.start(channel.first ?? { do: "open" });
  return view;
}

class View {
  constructor(root, channel) {
    this.root = root;
    this.channel = channel;
    this.alive = true;
    this.playing = false;
    this.adjoints = false;
    this.speed = "normal";
    this.pinned = null;
    this.pointed = null;
    this.tab = "trace";
    this.waiting = Promise.resolve();
    root.classList.add("nn-playground");
    this.palette = new Palette(root);
    this.network = new Network(this);
    this.controls = new Controls(this);
    this.sample = new Sample(this);
    this.build();
    this.onkey = (event) => this.key(event);
    (channel.keys ?? root).addEventListener("keydown", this.onkey);
    this.media = matchMedia("(prefers-color-scheme: dark)");
    this.ontone = () => this.draw();
    this.media.addEventListener("change", this.ontone);
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(root);
  }

  build() {
    const button = (name, label, keys, act) => el("button", {
      type: "button", class: name, "aria-label": label, title: `${label} (${keys})`, "aria-keyshortcuts": keys, onclick: act,
    }, el("span", { class: `icon ${name}`, "aria-hidden": "true" }));
    this.playButton = button("play", "Play", "Space", () => this.play(!this.playing));
    this.epochs = el("span", { class: "epochs" }, "–");
    const mode = (adjoints, text, title) => el("button", {
      type: "button", "aria-pressed": String(adjoints === this.adjoints), title, onclick: () => this.show(adjoints),
    }, text);
    this.modes = [
      mode(false, "Values", "Maps show each neuron's value, lines the weights (A)"),
      mode(true, "Adjoints", "Maps show ∂y/∂h, lines ∂L/∂w: what backpropagation sends back (A)"),
    ];
    this.speeds = el("select", { "aria-label": "Speed", onchange: () => { this.speed = this.speeds.value; } },
      Object.keys(SPEEDS).map((name) => el("option", { value: name, selected: name === this.speed }, `${name} speed`)));
    this.error = el("div", { class: "error", role: "alert", hidden: true });
    this.status = el("div", { class: "hidden", role: "status", "aria-live": "polite" });
    this.map = el("canvas", { width: 60, height: 60 });
    this.points = el("canvas", { class: "points", onclick: (event) => this.pick(event) });
    this.mapTitle = el("h2", {}, "Output");
    this.mapBox = el("div", { class: "map", role: "img", "aria-label": "The output over the plane, with the samples" }, this.map, this.points);
    this.test = el("input", { type: "checkbox", onchange: () => this.drawPoints() });
    this.losses = el("div", { class: "figures" });
    this.curves = el("canvas", { class: "curves", role: "img", "aria-label": "Loss of training and test data over the epochs" });
    this.panels = {
      trace: el("div", { class: "trace" }),
      sample: this.sample.element,
      landscape: el("div", { class: "landscape" }, this.terrain = el("canvas", { role: "img", "aria-label": "The training loss around the present weights" }), this.terrainNote = el("p", { class: "hint" })),
      code: el("div", { class: "code" },
        el("div", { class: "row" },
          el("button", { type: "button", class: "quiet", onclick: (event) => this.copy(event.currentTarget) }, "Copy"),
          this.call = el("code", { class: "call" })),
        this.code = el("pre", { tabindex: 0, "aria-label": "The program that builds and trains this network" })),
    };
    this.tabs = el("div", { class: "tabs", role: "tablist", "aria-label": "In detail", onkeydown: (event) => this.turnByKey(event) }, TABS.map(([name, label]) => el("button", {
      type: "button", role: "tab", "data-tab": name, "aria-selected": String(name === this.tab), onclick: () => this.turn(name),
    }, label)));
    this.root.replaceChildren(
      el("div", { class: "top" },
        el("div", { class: "transport" },
          button("reset", "Begin anew", "R", () => this.reset()), this.playButton,
          button("step", "Train on one batch", "ArrowRight", () => this.once({ batches: 1 })),
          button("epoch", "Train one epoch", "Shift+ArrowRight", () => this.once({ epochs: 1 })),
          el("div", { class: "clock" }, el("span", { class: "caption" }, "epoch"), this.epochs), this.speeds),
        el("div", { class: "modes", role: "group", "aria-label": "What maps and lines show" }, this.modes),
        this.controls.presets),
      this.error,
      this.controls.settings,
      el("div", { class: "stage" },
        this.controls.data,
        el("section", { class: "middle", "aria-label": "Network" },
          el("div", { class: "headline" }, el("h2", {}, "Network"), this.controls.depth, this.legend = el("div", { class: "legend" })),
          el("div", { class: "scroller" }, this.network.element),
          el("section", { class: "below", "aria-label": "In detail" }, this.tabs, Object.entries(this.panels).map(([name, panel]) => {
            panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-label", TABS.find(([tab]) => tab === name)[1]);
            panel.hidden = name !== this.tab;
            return panel;
          }))),
        el("section", { class: "result", "aria-label": "Output" },
          this.mapTitle, this.mapBox,
          el("label", { class: "check" }, this.test, "show test samples"),
          this.losses, this.curves)),
      this.status);
  }

  // Send messages to Python, one after the other; errors are shown.
  ask(message) {
    const asked = this.waiting.then(async () => {
      if (!this.alive) throw new Error("closed");
      const late = setTimeout(() => { this.root.dataset.waiting = ""; }, 2000);
      try {
        const frame = await this.channel.ask({ ...message, adjoints: this.adjoints });
        if (frame.content.error) this.fail(frame.content.error);
        this.answers = (this.answers ?? 0) + 1;
        return { ...frame, order: this.answers };
      } catch (error) {
        if (this.alive) this.fail(error.message);
        return { content: { error: error.message }, arrays: {} };
      } finally {
        clearTimeout(late);
        delete this.root.dataset.waiting;
      }
    });
    this.waiting = asked.catch(() => {});
    return asked;
  }

  fail(text) {
    this.play(false);
    this.error.textContent = text;
    this.error.hidden = false;
  }

  async start(message) {
    const frame = await this.ask(message);
    if (frame.content.opened) this.opened(frame);
    else if (!this.open && message.do !== "open") await this.start({ do: "open" }); // an address that cannot be read
  }

  refresh() { return this.playing ? null : this.start({ do: "open" }); }

  async opening(message) {
    this.error.hidden = true;
    await this.start(message);
    if (this.error.hidden) return;
    if (this.open) this.controls.show(this.open); // after a refusal, the controls show the present settings
  }

  // Changes may come faster than answers: each begins from the settings wanted last, not from those shown.
  async change(settings) {
    Object.assign(this.wanted, settings);
    this.changes = (this.changes ?? 0) + 1;
    await this.opening({ do: "change", settings });
    this.changes -= 1;
    if (!this.changes) this.wanted = { ...this.open.settings };
  }

  restart(text) { return this.opening({ do: "address", text }); }
  reset() { this.play(false); return this.opening({ do: "reset" }); }

  toggleInput(name) {
    const { inputs } = this.wanted;
    return this.change({ inputs: inputs.includes(name) ? inputs.filter((other) => other !== name) : [...inputs, name] });
  }

  opened(frame) {
    const structure = JSON.stringify([frame.content.settings.layers, frame.content.settings.inputs, frame.content.choices.inputs]);
    this.open = { ...frame.content, arrays: frame.arrays };
    if (!this.changes) this.wanted = { ...this.open.settings };
    this.controls.show(this.open);
    if (structure !== this.structure) {
      [this.pinned, this.pointed, this.structure] = [null, null, structure];
      this.network.build(this.open);
    }
    Object.assign(this.network, { open: this.open });
    this.code.textContent = this.open.code;
    this.call.textContent = this.open.call;
    this.channel.address?.(this.open.address);
    this.frame = frame;
    this.draw();
    this.detail(true);
  }

  play(on) {
    if (on === this.playing) return;
    this.playing = on;
    this.playButton.classList.toggle("playing", on);
    this.playButton.setAttribute("aria-label", on ? "Pause" : "Play");
    if (on) { this.error.hidden = true; this.loop(); } else this.tell();
  }

  // While it plays: request the next frame and draw this one meanwhile, at most at the screen's rate.
  async loop() {
    if (this.looping) return;
    this.looping = true;
    let next = this.ask({ do: "frame", ...SPEEDS[this.speed] });
    while (this.alive) {
      const frame = await next;
      if (!frame.content.frame) break;
      if (frame.content.diverged && frame.order > this.frame.order) this.fail("The loss is not finite any more. Begin anew with a smaller learning rate.");
      const more = this.playing && this.alive;
      if (more) next = this.ask({ do: "frame", ...SPEEDS[this.speed] });
      await new Promise((shown) => { requestAnimationFrame(shown); });
      if (this.take(frame)) this.detail(false);
      if (!more) break;
    }
    this.looping = false;
    if (this.playing && this.alive) this.loop();
    else if (this.alive) this.detail(true);
  }

  // Draw a frame, unless a later one, perhaps of another network, has been drawn; returns whether it was drawn.
  take(frame) {
    if (!frame.content.frame || frame.order < this.frame.order) return false;
    this.frame = frame;
    this.draw();
    return true;
  }

  async once(training) {
    this.play(false);
    const frame = await this.ask({ do: "frame", ...training });
    if (!this.take(frame)) return;
    this.detail(true);
    this.tell();
  }

  async show(adjoints) {
    this.adjoints = adjoints;
    this.root.classList.toggle("adjoints", adjoints);
    this.modes.forEach((mode, k) => mode.setAttribute("aria-pressed", String(Boolean(k) === adjoints)));
    if (this.take(await this.ask({ do: "frame", batches: 0 }))) this.detail(false);
  }

  tell() {
    const { content } = this.frame;
    const { validation_loss: test, validation_accuracy: accuracy } = content.measured;
    this.status.textContent = `epoch ${content.epoch}, test loss ${number(test)}${accuracy == null ? "" : `, test accuracy ${Math.round(100 * accuracy)} %`}`;
  }

  draw() {
    if (!this.frame || !this.root.isConnected) return;
    const { content } = this.frame;
    this.palette.update(); // read from the page before writing into it
    drawCurves(this.curves, this.frame, this.palette);
    if (this.pointsOf !== this.open || this.pointsTone !== this.palette.tone || this.pointsWidth !== this.root.clientWidth) {
      [this.pointsOf, this.pointsTone, this.pointsWidth] = [this.open, this.palette.tone, this.root.clientWidth];
      this.drawPoints();
      this.controls.draw(this.open, this.palette);
      this.drawLegend();
    }
    if (this.legendOf !== content.adjoints) this.drawLegend();
    const part = content.batch ? (content.batch / content.batches).toFixed(2).slice(1) : "";
    this.epochs.textContent = `${content.epoch}${part}`;
    this.network.draw(this.frame, this.palette);
    this.drawMap();
    this.drawFigures(content.measured);
  }

  drawMap() {
    const place_ = this.pointed ?? this.pinned;
    const hidden = place_ && place_.from == null && place_.layer <= this.open.settings.layers.length;
    const kind = hidden && this.frame.content.adjoints ? "adjoints" : "values";
    drawMap(this.map, hidden ? this.network.map(this.frame, place_) : this.frame.arrays.output, this.palette.pale(kind));
    const title = hidden ? `Layer ${place_.layer}, neuron ${place_.unit + 1}${kind === "adjoints" ? ": ∂y/∂h" : ""}` : "Output";
    if (this.mapTitle.textContent !== title) this.mapTitle.textContent = title;
  }

  drawPoints() {
    if (!this.open) return;
    const chosen = this.tab === "sample" ? this.sample.index : -1;
    drawSamples(this.points, this.open, this.palette, { test: this.test.checked, chosen });
  }

  drawFigures(measured) {
    const rows = [["training", measured.loss, measured.accuracy], ["test", measured.validation_loss, measured.validation_accuracy]];
    if (this.losses.childElementCount !== 2) {
      this.losses.replaceChildren(...rows.map(([name]) => el("div", { class: `figure-of ${name}` },
        el("span", { class: "caption" }, `${name} loss`), el("b", {}), el("span", { class: "accuracy" }))));
    }
    rows.forEach(([, loss, accuracy], k) => {
      const [, value, share] = this.losses.children[k].children;
      value.textContent = number(loss);
      share.textContent = accuracy == null ? "" : `${(100 * accuracy).toFixed(1).replace(/\.0$/, "")} % right`;
    });
  }

  drawLegend() {
    this.legendOf = this.frame.content.adjoints;
    const { negative, positive } = this.palette.ends(this.legendOf ? "adjoints" : "values");
    const swatch = (colour) => { const i = el("i", {}); i.style.background = colour; return i; };
    this.legend.replaceChildren(swatch(negative), el("span", {}, "negative"), swatch(positive), el("span", {}, this.legendOf ? "positive adjoint" : "positive"));
  }

  // Update the open tab; `now` if the training stands still.
  detail(now) {
    if (this.tab === "trace") this.formula();
    if (this.tab === "sample" && now) this.sample.choose(this.sample.index, this.sample.steps.length > 0);
    if (this.tab === "landscape") this.survey(now);
    if (this.tab === "code" && now) this.ask({ do: "code" }).then(({ content }) => { if (content.code) this.code.textContent = content.code; });
  }

  turn(name) {
    if (this.tab === "sample" && name !== "sample") { this.tab = name; this.sample.leave(); }
    this.tab = name;
    for (const tab of this.tabs.children) {
      tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
    for (const [other, panel] of Object.entries(this.panels)) panel.hidden = other !== name;
    if (name === "sample") this.play(false);
    this.detail(true);
  }

  // Arrow keys go from one tab to the next.
  turnByKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const tabs = [...this.tabs.children];
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    next.focus();
    this.turn(next.dataset.tab);
  }

  showing(name) { return this.tab === name && this.alive; }

  async survey(now) {
    if (this.surveying || (!now && performance.now() - (this.surveyed ?? 0) < LANDSCAPE_EVERY)) return;
    this.surveying = true;
    const frame = await this.ask({ do: "landscape" });
    [this.surveying, this.surveyed] = [false, performance.now()];
    if (!frame.content.landscape || !this.showing("landscape")) return;
    drawLandscape(this.terrain, frame, this.palette);
    const { least, most, share } = frame.content;
    this.terrainNote.textContent = `Training loss from ${number(least)} (light) to ${number(most)} (dark), on a logarithmic scale. ${share
      ? `The two directions are those in which the weights have moved most; ${Math.round(100 * share)} % of the way lies in this plane.`
      : "The two directions are random; after three epochs they are those in which the weights have moved most."}`;
  }

  point(where) {
    this.pointed = where;
    if (this.tab !== "sample") this.network.mark(where ?? this.pinned);
    if (this.frame) { this.drawMap(); this.formula(); }
  }

  pin(where) {
    const same = this.pinned && this.pinned.layer === where.layer && this.pinned.unit === where.unit;
    this.pinned = same ? null : where;
    this.point(where);
  }

  formula() {
    if (!this.open || this.panels.trace.hidden) return;
    const where = this.pointed ?? this.pinned;
    this.panels.trace.replaceChildren(...(where
      ? this.network.said(where, this.frame).map(([name, text], k) => el("div", { class: `said ${name}` }, el("span", { class: "caption" }, name), el("span", { class: k ? "math" : "" }, text)))
      : [el("p", { class: "hint" }, "Point at a neuron or a line to see its value, its adjoint and the formulas of both. A click on a neuron keeps it.")]));
  }

  // The sample nearest to a click in the map.
  pick(event) {
    const box = this.points.getBoundingClientRect();
    const distance = (k) => {
      const [x, y] = place(this.open.extent, this.open.arrays.points[2 * k], this.open.arrays.points[2 * k + 1], box.width, box.height);
      return Math.hypot(x - (event.clientX - box.left), y - (event.clientY - box.top));
    };
    const nearest = this.open.arrays.targets.reduce((best, _, k) => (distance(k) < distance(best) ? k : best), 0);
    if (this.tab !== "sample") { this.sample.index = nearest; this.turn("sample"); } else this.sample.choose(nearest);
  }

  async copy(button) {
    try {
      await navigator.clipboard.writeText(this.code.textContent);
      button.textContent = "Copied";
    } catch { // if the page may not write to the clipboard, the text is selected for copying by hand
      getSelection().selectAllChildren(this.code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { tagName, type } = event.target;
    if (tagName === "SELECT" || (tagName === "INPUT" && type !== "checkbox")) return;
    const steps = this.tab === "sample"; // in this tab the arrow keys go through the sample's steps
    const act = {
      " ": tagName === "BUTTON" || tagName === "INPUT" ? null : () => this.play(!this.playing),
      ArrowRight: () => (steps ? this.sample.show(this.sample.at + 1) : this.once(event.shiftKey ? { epochs: 1 } : { batches: 1 })),
      ArrowLeft: steps && (() => this.sample.show(this.sample.at - 1)),
      r: () => this.reset(),
      a: () => this.show(!this.adjoints),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    event.stopPropagation(); // a notebook has commands for these keys
    if (!act) return;
    event.preventDefault();
    act();
  }

  end() {
    this.alive = false;
    this.playing = false;
    this.sample.stop();
    this.media.removeEventListener("change", this.ontone);
    this.resized.disconnect();
    this.network.resized.disconnect();
    (this.channel.keys ?? this.root).removeEventListener("keydown", this.onkey);
  }
}

// The frame of a message's content and bytes.
export function unpacked(content, buffer, start = 0) {
  const arrays = {};
  for (const [name, kind, offset, length] of content.arrays ?? []) {
    arrays[name] = kind === "i1" ? new Int8Array(buffer, start + offset, length) : new Float32Array(buffer, start + offset, length);
  }
  return { content, arrays };
}
