// The page's connection: messages go through a WebSocket to the server of the page, and nowhere else.

import { mount, unpacked } from "./playground.js";

const socket = new WebSocket(new URL("talk", location.href.split("#")[0]).href.replace(/^http/, "ws"));
socket.binaryType = "arraybuffer";
const asked = [];
const lost = new Error("The connection to Python has ended. Start `python -m nn playground` again.");
let open = false;
let written = location.hash;

socket.addEventListener("message", ({ data }) => {
  const length = new DataView(data).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  asked.shift()?.answer(unpacked(content, data, 4 + length));
});
socket.addEventListener("close", () => {
  open = false;
  for (const waiting of asked.splice(0)) waiting.refuse(lost);
});

const channel = {
  keys: document,
  first: location.hash.length > 1 ? { do: "address", text: location.hash.slice(1) } : { do: "open" },
  ask(message) {
    if (!open) return Promise.reject(lost);
    return new Promise((answer, refuse) => {
      asked.push({ answer, refuse });
      socket.send(JSON.stringify(message));
    });
  },
  address(text) {
    written = text ? `#${text}` : "";
    history.replaceState(null, "", written || location.pathname);
  },
};

socket.addEventListener("open", () => {
  open = true;
  const root = document.querySelector("main");
  const view = mount(root, channel);
  addEventListener("pagehide", () => view.end());
  addEventListener("hashchange", () => { if (location.hash !== written) location.reload(); });
});
