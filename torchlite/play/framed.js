"use strict";
// The page in a frame of a notebook, whose program is asked by messages: widget.js hands them on.
(() => {
  // What is not answered in so many milliseconds is lost: the kernel is busy, or gone.
  // A trainer answers within 60 s, if only that its network computes on.
  const PATIENCE = 70_000;
  const me = Math.random().toString(36).slice(2), waiting = new Map();
  let count = 0;
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || !waiting.has(data.id)) return;
    const done = waiting.get(data.id);
    waiting.delete(data.id);
    done(JSON.parse(data.text));
  });
  const ask = (method, given) => new Promise((done, fail) => {
    const id = `${me} ${++count}`;
    waiting.set(id, done);
    setTimeout(() => {
      if (waiting.delete(id)) fail(new Error("no answer"));
    }, PATIENCE);
    parent.postMessage({ id, method, given }, "*");
  });
  const root = document.querySelector(".play");
  new Play(root, {
    live: true,
    again: "run its cell again",
    next: (after) => ask("next", after),
    do: (command) => ask("do", command),
  });
  // What stands beside the page of a server is not here.
  root.querySelector(".links").hidden = true;
})();
