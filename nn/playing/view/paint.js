// Colours of numbers, and everything that is drawn as pixels: maps, samples, curves, the landscape.

const ENDS = { // negative, zero, positive
  values: { light: ["#e0812a", "#f6f5f1", "#2f74b5"], dark: ["#f0a050", "#171c24", "#5aa9ee"] },
  adjoints: { light: ["#12897a", "#f6f5f1", "#b02a70"], dark: ["#3cc4b2", "#171c24", "#ee6bab"] },
};
const POWERS = { values: 0.8, adjoints: 0.5 }; // small numbers stand out more, small adjoints most
const INK = { light: "#1d2025", dark: "#e9ecf0" };
const MUTED = { light: "#8b8e94", dark: "#7d8692" };
const PAPER = { light: "#ffffff", dark: "#0f1319" };

const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

function ramp([negative, zero, positive], power, most = 1) {
  const colours = new Uint32Array(255);
  for (let level = -127; level <= 127; level += 1) {
    const share = most * Math.abs(level / 127) ** power;
    const end = rgb(level < 0 ? negative : positive);
    const [r, g, b] = rgb(zero).map((from, k) => Math.round(from + share * (end[k] - from)));
    colours[level + 127] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return colours;
}

export class Palette {
  constructor(root) {
    this.root = root;
    this.tone = "light";
    this.ramps = {};
    for (const kind of ["values", "adjoints"]) {
      for (const tone of ["light", "dark"]) {
        this.ramps[`${kind} ${tone}`] = ramp(ENDS[kind][tone], POWERS[kind]);
        this.ramps[`${kind} ${tone} pale`] = ramp(ENDS[kind][tone], POWERS[kind], 0.62); // the background of samples
      }
    }
  }

  // Read light or dark from the page: only once before each frame, because the browser then computes its styles.
  update() {
    const scheme = getComputedStyle(this.root).colorScheme;
    const dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    this.tone = dark ? "dark" : "light";
  }

  ramp(kind) { return this.ramps[`${kind} ${this.tone}`]; }
  pale(kind) { return this.ramps[`${kind} ${this.tone} pale`]; }
  ends(kind) { const [negative, , positive] = ENDS[kind][this.tone]; return { negative, positive }; }
  get ink() { return INK[this.tone]; }
  get muted() { return MUTED[this.tone]; }
  get paper() { return PAPER[this.tone]; }
}

// A square map of levels, -127 .. 127, drawn into a canvas of as many pixels; CSS enlarges it.
export function drawMap(canvas, levels, colours) {
  const side = Math.round(Math.sqrt(levels.length));
  if (canvas.width !== side || canvas.height !== side) { canvas.width = side; canvas.height = side; }
  const context = canvas.getContext("2d");
  canvas.image ??= context.createImageData(side, side);
  if (canvas.image.width !== side) canvas.image = context.createImageData(side, side);
  const pixels = new Uint32Array(canvas.image.data.buffer);
  for (let k = 0; k < levels.length; k += 1) pixels[k] = colours[levels[k] + 127];
  context.putImageData(canvas.image, 0, 0);
}

// Give a canvas the screen's resolution; returns its context in CSS pixels, and its size in them.
export function prepared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

export function place(extent, x1, x2, width, height) {
  const [left, right, bottom, top] = extent;
  return [((x1 - left) / (right - left)) * width, ((top - x2) / (top - bottom)) * height];
}

export function drawSamples(canvas, open, palette, { test, chosen }) {
  const { context, width, height } = prepared(canvas);
  const { negative, positive } = palette.ends("values");
  const largest = open.classes ? 1 : Math.max(1e-9, ...open.arrays.targets.map(Math.abs));
  const low = open.settings.loss === "bce" && open.classes ? 0.5 : 0;
  const sets = [["points", "targets", true], ...(test ? [["test_points", "test_targets", false]] : [])];
  const radius = Math.max(2.2, Math.min(3.6, 60 / Math.sqrt(open.arrays.targets.length)));
  for (const [points, targets, filled] of sets) {
    open.arrays[targets].forEach((target, k) => {
      const [x, y] = place(open.extent, open.arrays[points][2 * k], open.arrays[points][2 * k + 1], width, height);
      const colour = target > low ? positive : negative;
      context.globalAlpha = open.classes ? 1 : 0.25 + 0.75 * Math.min(1, Math.abs(target) / largest);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = filled ? colour : palette.paper;
      context.strokeStyle = filled ? palette.paper : colour;
      context.lineWidth = filled ? 1 : 1.4;
      context.fill();
      context.stroke();
      if (filled && k === chosen) {
        context.globalAlpha = 1;
        context.beginPath();
        context.arc(x, y, radius + 5, 0, 2 * Math.PI);
        context.strokeStyle = palette.ink;
        context.lineWidth = 2;
        context.stroke();
      }
    });
  }
  context.globalAlpha = 1;
}

export function drawCurves(canvas, frame, palette) {
  const { context, width, height } = prepared(canvas);
  const { epochs, curve_loss: training, curve_validation_loss: test } = frame.arrays;
  context.strokeStyle = palette.muted;
  context.globalAlpha = 0.5;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, height - 0.5);
  context.lineTo(width, height - 0.5);
  context.stroke();
  context.globalAlpha = 1;
  if (!epochs?.length) return;
  const known = [...training, ...test].filter(Number.isFinite);
  const [most, last] = [Math.max(1e-9, ...known), Math.max(2, epochs[epochs.length - 1])];
  const line = (values, colour, dashes) => {
    context.beginPath();
    values.forEach((value, k) => {
      const x = ((epochs[k] - 1) / (last - 1)) * (width - 4) + 1;
      const y = Number.isFinite(value) ? height - 4 - (value / most) * (height - 10) : 4;
      if (k) context.lineTo(x, y); else context.moveTo(x, y);
    });
    context.setLineDash(dashes);
    context.strokeStyle = colour;
    context.lineWidth = 1.8;
    context.lineJoin = "round";
    context.stroke();
    context.setLineDash([]);
  };
  line(test, palette.muted, [5, 3]);
  line(training, palette.ink, []);
  context.fillStyle = palette.muted;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  context.fillText(`up to ${most.toPrecision(2)}`, width - 2, 11);
}

export function drawLandscape(canvas, frame, palette) {
  const { context, width, height } = prepared(canvas);
  const { side, spans } = frame.content;
  const { heights, path } = frame.arrays;
  const at = (row, column) => heights[row * side + column];
  const [low, high] = [rgb(palette.paper), rgb(palette.ink)];
  const sharp = 96; // points along a side of the picture, interpolated between computed ones
  const image = new ImageData(sharp, sharp);
  for (let row = 0; row < sharp; row += 1) {
    for (let column = 0; column < sharp; column += 1) {
      const [v, u] = [((sharp - 1 - row) / (sharp - 1)) * (side - 1), (column / (sharp - 1)) * (side - 1)];
      const [i, j] = [Math.min(side - 2, Math.floor(v)), Math.min(side - 2, Math.floor(u))];
      const [a, b] = [v - i, u - j];
      const value = (1 - a) * ((1 - b) * at(i, j) + b * at(i, j + 1)) + a * ((1 - b) * at(i + 1, j) + b * at(i + 1, j + 1));
      const band = Math.floor(value * 14) / 14; // steps, as contour lines
      const share = 0.06 + 0.5 * band;
      for (let k = 0; k < 3; k += 1) image.data[4 * (row * sharp + column) + k] = low[k] + share * (high[k] - low[k]);
      image.data[4 * (row * sharp + column) + 3] = 255;
    }
  }
  const picture = new OffscreenCanvas(sharp, sharp);
  picture.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  const point = (k) => [
    ((path[2 * k] - spans[0][0]) / (spans[0][1] - spans[0][0])) * width,
    (1 - (path[2 * k + 1] - spans[1][0]) / (spans[1][1] - spans[1][0])) * height,
  ];
  const { positive, negative } = palette.ends("values");
  context.beginPath();
  for (let k = 0; k < path.length / 2; k += 1) {
    if (k) context.lineTo(...point(k)); else context.moveTo(...point(k));
  }
  context.strokeStyle = negative;
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.stroke();
  for (const [k, colour] of [[0, negative], [path.length / 2 - 1, positive]]) {
    context.beginPath();
    context.arc(...point(k), 4.5, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.strokeStyle = palette.paper;
    context.stroke();
  }
}
