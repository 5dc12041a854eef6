// Elements by one call, and numbers and names as the view writes them. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

export function el(tag, attributes = {}, ...children) {
  const vector = ["svg", "path", "g", "circle", "line", "text"].includes(tag);
  const element = vector ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

export function number(value, digits = 3) {
  if (value == null || !Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    const [mantissa, exponent] = value.toExponential(1).split("e");
    return `${mantissa.replace("-", "−")}e${exponent.replace("-", "−").replace("+", "")}`;
  }
  return value.toFixed(size >= 100 ? 1 : digits).replace("-", "−");
}

export const signed = (value) => (value < 0 ? `− ${number(-value)}` : `+ ${number(value)}`);

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
export const sub = (n) => [...String(n)].map((digit) => SUBSCRIPTS[digit]).join("");
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const sup = (n) => [...String(n)].map((digit) => SUPERSCRIPTS[digit]).join("");
export const raised = (layer) => `⁽${sup(layer)}⁾`; // the number of the layer; without parentheses it would be a power
export const pair = (to, from) => (to > 9 || from > 9 ? `${sub(to)},${sub(from)}` : `${sub(to)}${sub(from)}`);
export const bar = (name) => name.replace(/^./u, (letter) => `${letter}\u0304`);

const INPUT_NAMES = {
  x1: "x₁", x2: "x₂", "x1^2": "x₁²", "x2^2": "x₂²", "x1*x2": "x₁x₂", "sin(x1)": "sin πx₁", "sin(x2)": "sin πx₂",
};
export const inputName = (name) => INPUT_NAMES[name] ?? name;

// The name of a neuron: layer 0 holds the inputs, the last layer is the output.
export function neuronName(open, layer, unit) {
  if (layer === 0) return inputName(open.settings.inputs[unit]);
  if (layer > open.settings.layers.length) return "y";
  return `h${sub(unit + 1)}${raised(layer)}`;
}
