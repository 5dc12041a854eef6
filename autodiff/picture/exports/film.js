"use strict";
const part = (id) => document.getElementById(id);
const frames = [...document.querySelectorAll("section")];
const last = frames.length - 1, PAUSE = 500;
let at = 0, timer = 0;

function show(frame) {
  at = Math.min(last, Math.max(0, Math.trunc(frame) || 0));
  frames.forEach((section, k) => section.classList.toggle("open", k === at));
  const label = frames[at].getAttribute("aria-label");
  part("label").textContent = label;
  part("slider").value = at;
  part("slider").setAttribute("aria-valuetext", label);
  const curve = document.querySelector("#curve polyline"), mark = document.querySelector("#curve circle");
  if (curve) {
    const { x, y } = curve.points[at];
    mark.setAttribute("cx", x);
    mark.setAttribute("cy", y);
  }
  if (at === last) stop();
}

function stop() {
  clearInterval(timer);
  timer = 0;
  part("play").textContent = "Play";
}

function play() {
  if (timer) return stop();
  if (at === last) show(0);
  timer = setInterval(() => show(at + 1), PAUSE);
  part("play").textContent = "Pause";
}

const moves = { Home: () => show(0), ArrowLeft: () => show(at - 1), ArrowRight: () => show(at + 1), End: () => show(last) };
part("play").addEventListener("click", play);
part("slider").max = last;
part("slider").addEventListener("input", ({ target }) => {
  stop();
  show(Number(target.value));
});
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (Object.hasOwn(moves, event.key)) {
    stop();
    moves[event.key]();
  } else if (event.key === " " && event.target.tagName !== "BUTTON") play();
  else return;
  event.preventDefault();
});
document.body.classList.add("live");
part("controls").hidden = false;
show(last);
