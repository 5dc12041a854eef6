// The connection of a notebook's cell (an anywidget): messages go through the notebook's connection to the kernel.

import { mount, unpacked } from "./playground.js";

export default {
  render({ model, el }) {
    const root = document.createElement("div");
    el.append(root);
    const own = Math.random().toString(36).slice(2); // several cells may show one playground: each reads only its own answers
    const asked = new Map();
    let count = 0;
    const hear = (content, buffers) => {
      if (content.changed) view.refresh();
      if (content.to !== own) return;
      const { buffer, byteOffset } = buffers[0];
      const aligned = byteOffset % 4 ? [buffer.slice(byteOffset), 0] : [buffer, byteOffset];
      asked.get(content.number)?.(unpacked(content, ...aligned));
      asked.delete(content.number);
    };
    model.on("msg:custom", hear);
    const view = mount(root, {
      ask(message) {
        count += 1;
        model.send({ ...message, from: own, number: count });
        return new Promise((answer) => { asked.set(count, answer); });
      },
    });
    return () => { // the cell was closed: without requests nothing is trained
      view.end();
      model.off("msg:custom", hear);
    };
  },
};
