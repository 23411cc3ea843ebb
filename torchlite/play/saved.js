"use strict";
// The page of a run that is over: a slider goes through the frames that were kept of it.
(() => {
  const { make } = arrays, root = document.querySelector(".play");
  const frames = JSON.parse(document.querySelector(".frames").textContent);
  for (const frame of frames) frame.running = false;
  const last = frames.length - 1;
  let wake = null, waiting = true, timer = null;

  const bar = make("nav", "bar saved");
  bar.setAttribute("aria-label", "Moments of the run");
  const button = (text, act) => {
    const made = bar.appendChild(make("button", "", text));
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  const replay = button("▶ Replay", () => (timer === null ? start() : stop()));
  replay.classList.add("main");
  const back = button("◀ Back", () => go(Number(slider.value) - 1));
  const slider = bar.appendChild(make("input"));
  Object.assign(slider, { type: "range", min: 0, max: last, value: last });
  slider.setAttribute("aria-label", "Moment of the run");
  const next = button("Next ▶", () => go(Number(slider.value) + 1));
  const said = bar.appendChild(make("output"));
  slider.addEventListener("input", () => go(Number(slider.value)));
  root.querySelector(".bar").before(bar);

  function go(number, replaying) {
    if (!replaying) stop();
    slider.value = number;
    back.disabled = number === 0;
    next.disabled = number === last;
    said.textContent = `step ${frames[number].step.toLocaleString("en")}, moment ${number + 1} of ${frames.length}`;
    slider.setAttribute("aria-valuetext", said.textContent);
    waiting = true;
    if (wake) wake();
  }

  function start() {
    if (Number(slider.value) === last) go(0, true);
    replay.textContent = "❚❚ Pause";
    timer = setInterval(() => {
      go(Number(slider.value) + 1, true);
      if (Number(slider.value) === last) stop();
    }, 300);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    replay.textContent = "▶ Replay";
  }

  root.querySelector(".keys").textContent = "Orange is above 0, blue below, the stronger the farther. " +
    "This run is over, and of its moments some were kept: nothing can be changed here.";
  if (!last) bar.hidden = true;
  go(last);
  new Play(root, {
    live: false,
    // One frame a move, the newest: the page asks for another when it has drawn one.
    next: async () => {
      if (!waiting) await new Promise((done) => { wake = done; });
      wake = null;
      waiting = false;
      return frames[Number(slider.value)];
    },
    do: async () => ({ ok: false, error: "This run is over: nothing can be changed in it." }),
  });
})();
