"use strict";
const part = (id) => document.getElementById(id);
const frames = [...document.querySelectorAll("section")];
const last = frames.length - 1, START = last, PAUSE = 500;

function paint(frame) {
  frames.forEach((section, k) => section.classList.toggle("open", k === frame));
  const label = frames[frame].getAttribute("aria-label");
  part("label").textContent = label;
  const curve = document.querySelector("#curve polyline"), mark = document.querySelector("#curve circle");
  if (curve) {
    const { x, y } = curve.points[frame];
    mark.setAttribute("cx", x);
    mark.setAttribute("cy", y);
  }
  return label;
}

document.body.classList.add("live");
part("controls").hidden = false;
