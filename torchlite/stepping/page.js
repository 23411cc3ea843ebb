const data = JSON.parse(document.getElementById("data").textContent);
const steps = data.steps;
const { exact, indexOf, make, shown, written } = arrays;
const byId = (id) => document.getElementById(id);
const slider = byId("slider");
const sections = [];
const boxes = new Map();
const arrows = [];
const graphs = [];
const sequences = [];
// How many steps of a sequence the outermost modules go through that go through steps.
const lengths = new Map();
for (const { position, time } of steps) {
  if (time !== undefined) lengths.set(position, Math.max(lengths.get(position) || 0, time + 1));
}
for (const position of [...lengths.keys()]) {
  const inside = (outer) => outer !== position && position.startsWith(outer);
  if ([...lengths.keys()].some(inside)) lengths.delete(position);
}
const SVG = byId("empty").namespaceURI;
let current = -1;

// ------------------------------------------------------------------ the network

function arrow(position, forward, backward) {
  const element = make("span", "arrow");
  const ahead = element.appendChild(make("span", "ahead"));
  const back = element.appendChild(make("span", "back"));
  arrows.push({ position, forward, backward, ahead, back });
  return element;
}

function box(module) {
  const element = make("div", "box");
  const name = element.appendChild(make("span", "name"));
  name.append(make("b", "", module.position), " " + module.layer);
  boxes.set(module.position, element);
  if (lengths.has(module.position)) element.append(times(module.position));
  if (module.modules.length) element.classList.add("composed");
  if (module.kind === "graph") {
    element.append(graph(module));
  } else if (module.modules.length) {
    const list = element.appendChild(make("ol", "flow " + module.kind));
    module.modules.forEach((part, i) => {
      const item = list.appendChild(make("li"));
      if (i === 0 || module.kind === "branches") {
        item.append(arrow(part.position, "input", "gradInput"));
      }
      item.append(box(part), arrow(part.position, "output", "gradOutput"));
    });
  }
  return element;
}

// Time, unrolled: each step of the sequence, and how far it went.
function times(position) {
  const list = make("ol", "times");
  list.setAttribute("aria-label", "time");
  for (let time = 0; time < lengths.get(position); time++) list.append(make("li", "", String(time)));
  sequences.push({ position, list });
  return list;
}

function showTimes() {
  const now = steps[current];
  for (const { position, list } of sequences) {
    const went = [];
    for (const step of steps.slice(0, current + 1)) {
      if (step.position === position) {
        went[step.time] = step.method === "updateOutput" ? "ahead" : "back";
      }
    }
    const here = now.position.startsWith(position) ? now.time : undefined;
    [...list.children].forEach((cell, time) => {
      cell.className = [went[time], time === here ? "now" : ""].filter(Boolean).join(" ");
      if (time === here) cell.setAttribute("aria-current", "step");
      else cell.removeAttribute("aria-current");
    });
  }
}

// Columns from left to right; what leads where is drawn once the boxes have their places.
function graph(module) {
  const element = make("div", "graph");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", module.lines.join("\n"));
  const list = element.appendChild(make("div", "columns"));
  const svg = list.appendChild(document.createElementNS(SVG, "svg"));
  svg.setAttribute("class", "edges");
  svg.setAttribute("aria-hidden", "true");
  const places = new Map();
  const ways = module.edges.map(([source]) => [source]);
  module.columns.forEach((entries, i) => {
    const column = list.appendChild(make("div", "column"));
    entries.forEach((entry) => {
      let place;
      if (Array.isArray(entry)) {
        place = make("div", "pass");
        const key = `${entry[0]} ${i}`;
        places.set(key, place);
        ways[entry[0]].push(key);
      } else if (entry < 0 || entry === module.modules.length) {
        place = make("div", "end");
        const names = entry < 0 ? ["input", "gradInput"] : ["output", "gradOutput"];
        place.append(make("b", "", names[0]), arrow(module.position, ...names));
        places.set(entry, place);
      } else {
        const part = module.modules[entry];
        place = box(part);
        place.querySelector(".name").after(arrow(part.position, "output", "gradOutput"));
        places.set(entry, place);
      }
      column.append(place);
    });
  });
  module.edges.forEach(([, target], i) => ways[i].push(target));
  graphs.push({ list, svg, places, ways, labels: module.edges.map((edge) => edge[2]) });
  return element;
}

function svgOf(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function drawEdges() {
  for (const { list, svg, places, ways, labels } of graphs) {
    const corner = list.getBoundingClientRect();
    const boundsOf = (key) => {
      const { left, right, top, bottom } = places.get(key).getBoundingClientRect();
      const column = places.get(key).parentElement.getBoundingClientRect();
      const [a, b, c, d] = [left, right, column.left, column.right].map((x) => x - corner.left);
      return { left: a, right: b, start: c, end: d, y: (top + bottom) / 2 - corner.top };
    };
    svg.replaceChildren();
    ways.forEach((way, i) => {
      const bounds = way.map(boundsOf);
      let line = `M ${bounds[0].right} ${bounds[0].y}`;
      bounds.slice(1).forEach((to, j) => {
        // Inside a column it goes straight, so as to meet no other box of it.
        const from = bounds[j], middle = (from.end + to.start) / 2;
        line += ` H ${from.end} C ${middle} ${from.y}, ${middle} ${to.y}, ${to.start} ${to.y} H ${to.left}`;
      });
      const { left, y } = bounds[bounds.length - 1];
      svg.append(svgOf("path", { d: line }));
      svg.append(svgOf("path", { class: "head", d: `M ${left} ${y} l -7 -4 v 8 z` }));
      if (labels[i]) {
        const [from, to] = bounds;
        const at = { x: (from.end + to.start) / 2, y: (from.y + to.y) / 2 + 4 };
        svg.appendChild(svgOf("text", at)).textContent = labels[i];
      }
    });
  }
}

function drawNetwork() {
  const list = make("ol", "flow");
  const first = list.appendChild(make("li"));
  const whole = data.network;
  const plain = whole.modules.length === 0;
  if (plain) first.append(arrow("net", "input", "gradInput"));
  first.append(box(whole));
  if (plain) first.append(arrow("net", "output", "gradOutput"));
  if (data.criterion !== null) {
    const criterion = { position: "criterion", layer: data.criterion, modules: [], kind: "layer" };
    const item = list.appendChild(make("li"));
    item.append(arrow("criterion", "input", "gradInput"), box(criterion));
    item.append(arrow("criterion", "output", null));
  }
  byId("network").append(list);
}

function showNetwork() {
  const seen = new Map();
  for (const step of steps.slice(0, current + 1)) {
    const known = seen.get(step.position) || {};
    // A new forward makes the gradients of the last one old.
    if (step.method === "updateOutput") delete known.gradInput, delete known.gradOutput;
    seen.set(step.position, Object.assign(known, step.flow));
  }
  for (const { position, forward, backward, ahead, back } of arrows) {
    const known = seen.get(position) || {};
    ahead.textContent = known[forward] ? known[forward] + " →" : "→";
    back.textContent = backward && known[backward] ? "← " + known[backward] : "\u00a0";
  }
  for (const [position, element] of boxes) {
    const active = position === steps[current].position;
    element.classList.toggle("active", active);
    if (active) element.setAttribute("aria-current", "step");
    else element.removeAttribute("aria-current");
    if (active) showIn(element);
  }
  showTimes();
  drawEdges();
}

// A graph that is wider than the page follows the steps.
function showIn(element) {
  // Of graphs in graphs the outermost has the bar.
  const around = [...document.querySelectorAll(".graph")].find((graph) => graph.contains(element));
  if (!around) return;
  const outer = around.getBoundingClientRect(), inner = element.getBoundingClientRect();
  if (inner.left < outer.left) around.scrollLeft += inner.left - outer.left - 40;
  if (inner.right > outer.right) around.scrollLeft += inner.right - outer.right + 40;
}

// ------------------------------------------------------------------ arrays

function entry(array, index) {
  const name = index.length ? `${array.name}[${index.join(", ")}]` : array.name;
  return ["before", "increment", "after"].includes(array.role) ? `${name}, ${array.role}` : name;
}

function drawArray(step, array) {
  const title = array.name + (array.shape ? ` ${written(array.shape)}` : "");
  const panel = make("div", "array");
  if (!array.values) {
    const caption = panel.appendChild(make("div", "caption"));
    caption.append(make("code", "", title), make("span", "role", " " + array.role));
    panel.append(make("code", "", array.text));
    return panel;
  }
  const table = panel.appendChild(make("table"));
  table.setAttribute("role", "grid");
  const caption = table.appendChild(make("caption"));
  caption.append(title + " ", make("span", "role", array.role));
  const width = array.shape.length ? array.shape[array.shape.length - 1] : 1;
  const height = width ? array.values.length / width : 0;
  const head = table.appendChild(make("thead")).appendChild(make("tr"));
  head.append(make("td", "corner"));
  head.firstChild.style.cursor = "default";
  for (let j = 0; j < width; j++) head.appendChild(make("th", "", j)).scope = "col";
  const body = table.appendChild(make("tbody"));
  array.cells = [];
  for (let i = 0; i < height; i++) {
    const row = body.appendChild(make("tr"));
    const prefix = indexOf(array.shape, i * width).slice(0, -1).join(", ");
    row.appendChild(make("th", "", prefix)).scope = "row";
    for (let j = 0; j < width; j++) {
      const place = i * width + j;
      const value = array.values[place];
      const cell = row.appendChild(make("td", "", shown(value)));
      if (typeof value === "number" && array.largest > 0) {
        const strength = 0.5 * Math.min(1, Math.abs(value) / array.largest);
        cell.style.background = `rgba(var(--${value < 0 ? "minus" : "plus"}), ${strength.toFixed(3)})`;
      }
      const index = indexOf(array.shape, place);
      let said = `${entry(array, index)}: ${exact(value)}`;
      if (array.numeric) {
        const [numeric, verdict] = array.numeric[place];
        const sign = verdict === "agrees" ? "≈ " : "≠ ";
        cell.append(make("small", verdict === "agrees" ? "numeric" : "numeric off", sign + shown(numeric)));
        said += `, numeric derivative ${exact(numeric)}, ${verdict}`;
      }
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-label", said);
      cell.tabIndex = place === 0 ? 0 : -1;
      cell.dataset.index = index.join(",");
      cell.addEventListener("click", () => choose(step, array, place));
      cell.addEventListener("keydown", (event) => move(event, step, array, place, width));
      array.cells.push(cell);
    }
  }
  return panel;
}

function move(event, step, array, place, width) {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width }[event.key];
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (by !== undefined) {
    const target = array.cells[place + by];
    const leaves = Math.abs(by) === 1 && Math.floor((place + by) / width) !== Math.floor(place / width);
    if (target && !leaves) {
      array.cells[place].tabIndex = -1;
      target.tabIndex = 0;
      target.focus();
    }
  } else if (event.key === "Enter" || event.key === " ") {
    choose(step, array, place);
  } else if (event.key === "Escape") {
    byId("steps").focus();
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function place_of(name, axes) {
  if (axes.every((axis) => axis === null)) return `all of ${name}`;
  if (axes.length === 2 && axes[0] === null) return `column ${axes[1]} of ${name}`;
  if (axes.length === 2 && axes[1] === null) return `row ${axes[0]} of ${name}`;
  return `${name}[${axes.map((axis) => (axis === null ? ":" : axis)).join(", ")}]`;
}

function choose(step, array, place) {
  for (const cell of document.querySelectorAll(".chosen, .source")) {
    cell.classList.remove("chosen", "source");
  }
  array.cells[place].classList.add("chosen");
  const index = indexOf(array.shape, place);
  const detail = byId("detail");
  detail.replaceChildren(make("p", "value", `${entry(array, index)} = ${exact(array.values[place])}`));
  if (array.numeric) {
    const [numeric, verdict] = array.numeric[place];
    detail.append(make("p", "numeric", `numeric derivative of the loss: ${exact(numeric)}, which ${verdict}`));
  } else if (array.name.startsWith("grad") && (array.role === "result" || array.role === "increment")) {
    detail.append(make("p", "numeric", step.unlinked
      ? "no numeric derivative: this gradOutput did not come from the criterion"
      : "no numeric derivative"));
  }
  const made = [];
  const taken = new Map();
  // Of what it is made: [name, in words, whether an entry takes part by its place and its index].
  const parts = [];
  for (const [name, each] of Object.entries(array.windows || {})) {
    if (!each[place]) continue;
    const [words, places] = each[place];
    parts.push([name, words, (i) => places.includes(i)]);
  }
  if (array.role !== "before" && array.role !== "after") {
    for (const [name, axes] of array.sources) {
      if (array.windows && name in array.windows) continue;
      const fixed = axes.map((axis) => (axis === null ? null : index[axis]));
      const takesPart = (i, at) => fixed.every((k, axis) => k === null || k === at[axis]);
      parts.push([name, place_of(name, fixed), takesPart]);
    }
  }
  for (const [name, words, takesPart] of parts) {
    made.push(words);
    for (const other of step.arrays) {
      if (other.name !== name || !other.cells || other === array) continue;
      if (!["argument", "parameter", "result"].includes(other.role)) continue;
      const values = [];
      other.cells.forEach((cell, i) => {
        if (takesPart(i, indexOf(other.shape, i))) {
          cell.classList.add("source");
          values.push(other.values[i]);
        }
      });
      taken.set(name, values);
    }
  }
  if (made.length) detail.append(make("p", "made", `made of ${made.join(" and ")}`));
  for (const [left, right] of step.products) {
    const a = taken.get(left), b = taken.get(right);
    if (!a || !b || a.length !== b.length || !made.length) continue;
    const terms = a.slice(0, 8).map((value, i) => `${shown(value)} × ${shown(b[i])}`);
    if (a.length > 8) terms.push("…");
    const sum = a.reduce((total, value, i) => total + value * b[i], 0);
    detail.append(make("p", "terms", `${terms.join(" + ")} = ${shown(sum)}`));
  }
  if (array.role === "increment" && step.scale !== 1) {
    detail.append(make("p", "scale", `times the scale, ${step.scale}; so is the numeric derivative`));
  }
}

// ------------------------------------------------------------------ stepping

function at(step) {
  return step.time === undefined ? "" : ` at time ${step.time}`;
}

function section(i) {
  if (sections[i]) return sections[i];
  const step = steps[i];
  const element = make("section", "step");
  element.setAttribute("aria-labelledby", `step-${step.number}`);
  const title = element.appendChild(
    make("h2", "", `Step ${step.number}: ${step.method} of ${step.position}${at(step)}, ${step.layer}`));
  title.id = `step-${step.number}`;
  if (step.inside) {
    const [first, last] = step.inside;
    const which = first === last ? `step ${first}` : `steps ${first} to ${last}`;
    element.append(make("p", "", `Made of ${which}.`));
  }
  element.append(make("pre", "maths", step.maths.join("\n")));
  if (step.unlinked) {
    element.append(make("p", "note", "No numeric derivatives here: this gradOutput did not come from the criterion."));
  }
  const panels = element.appendChild(make("div", "arrays"));
  let change;
  for (const array of step.arrays) {
    const panel = drawArray(step, array);
    // What was there, what is added, and what it makes stand side by side.
    if (!["before", "increment", "after"].includes(array.role)) {
      panels.append(panel);
      continue;
    }
    if (array.role === "before") change = panels.appendChild(make("div", "change"));
    const term = change.appendChild(make("div", "term"));
    const equal = change.childElementCount > 2 ? "=" : "→";
    if (array.role !== "before") {
      term.append(make("span", "sign", array.role === "increment" ? "+" : equal));
    }
    term.append(panel);
  }
  element.hidden = true;
  // Sections are made when first needed, but stand in order.
  let after = i + 1;
  while (after < steps.length && !sections[after]) after++;
  byId("steps").insertBefore(element, sections[after] || null);
  sections[i] = element;
  return element;
}

function go(i) {
  i = Math.max(0, Math.min(steps.length - 1, i));
  if (i === current) return;
  if (current >= 0) section(current).hidden = true;
  current = i;
  section(i).hidden = false;
  for (const cell of document.querySelectorAll(".chosen, .source")) {
    cell.classList.remove("chosen", "source");
  }
  byId("detail").replaceChildren(make("p", "", "Choose an entry of a table to see what it is made of."));
  slider.value = i + 1;
  slider.setAttribute("aria-valuetext", section(i).querySelector("h2").textContent);
  byId("count").textContent = `step ${i + 1} of ${steps.length}`;
  byId("said").textContent = section(i).querySelector("h2").textContent;
  byId("first").disabled = byId("back").disabled = i === 0;
  byId("last").disabled = byId("next").disabled = i === steps.length - 1;
  showNetwork();
}

byId("first").addEventListener("click", () => go(0));
byId("back").addEventListener("click", () => go(current - 1));
byId("next").addEventListener("click", () => go(current + 1));
byId("last").addEventListener("click", () => go(steps.length - 1));
slider.addEventListener("input", () => go(Number(slider.value) - 1));
document.addEventListener("keydown", (event) => {
  if (event.target === slider || event.ctrlKey || event.altKey || event.metaKey) return;
  const target = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: steps.length - 1 }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  go(target);
});
window.addEventListener("resize", drawEdges);
// On paper every step is there, and it is white.
window.addEventListener("beforeprint", () => {
  document.documentElement.classList.add("paper");
  // From the last to the first: each finds its place at once.
  for (let i = steps.length - 1; i >= 0; i--) section(i);
  arrays.redraw();
});
window.addEventListener("afterprint", () => {
  document.documentElement.classList.remove("paper");
  arrays.redraw();
});

byId("note").textContent = data.note;
slider.max = steps.length;
drawNetwork();
if (steps.length) go(0);
else byId("steps").append(make("p", "", "Nothing was recorded."));
