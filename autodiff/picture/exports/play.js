// The button, the slider and the keys of a page that plays. The script before this one defines `part`, the `last`
// place, the `PAUSE` between two places, the place to `START` at, and `paint(place)`, which shows a place and returns
// its description.
let at = 0, timer = 0;

function show(place) {
  at = Math.min(last, Math.max(0, Math.trunc(place) || 0));
  part("slider").value = at;
  part("slider").setAttribute("aria-valuetext", paint(at));
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

const moves = { first: () => show(0), back: () => show(at - 1), next: () => show(at + 1), last: () => show(last) };
const keys = { Home: "first", ArrowLeft: "back", ArrowRight: "next", End: "last" };

function move(name) {
  stop();
  moves[name]();
}

for (const name of Object.keys(moves)) part(name)?.addEventListener("click", () => move(name));
part("play").addEventListener("click", play);
part("slider").max = last;
part("slider").addEventListener("input", ({ target }) => {
  stop();
  show(Number(target.value));
});
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (Object.hasOwn(keys, event.key)) move(keys[event.key]);
  else if (event.key === " " && event.target.tagName !== "BUTTON") play();
  else return;
  event.preventDefault();
});
show(START);
