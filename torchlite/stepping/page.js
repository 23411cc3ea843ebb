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
// Of modules that take a whole sequence in one call, its length.
const whole = new Map(steps.filter((step) => step.sequence).map((step) => [step.position, step.sequence]));
for (const step of steps) {
  for (const array of step.arrays) if (array.regions) array.windows = windowsOf(step, array);
}
const SVG = byId("empty").namespaceURI;
// So many pixels lie between lines that lead the same way.
const APART = 18;
let current = -1;

// ------------------------------------------------------------------ the network

// What stands at an arrow is known from the calls of the modules on both sides of it: of each,
// whether the arrow leads into it or out of it.
function arrow(sources) {
  const element = make("span", "arrow");
  const [ahead, back] = ["ahead", "back"].map((way) => {
    const line = element.appendChild(make("span", way));
    const sign = make("span", "way", way === "ahead" ? "→" : "←"), shape = make("span");
    line.append(...(way === "ahead" ? [shape, " ", sign] : [sign, " ", shape]));
    return { line, shape };
  });
  arrows.push({ sources, ahead, back });
  return element;
}

// What flows into a row of modules is what flows into its first; what leaves it leaves its last.
function into(module) {
  const inner = module.kind === "row" && module.modules[0];
  return [{ position: module.position, inward: true }, ...(inner ? into(inner) : [])];
}
function outOf(module) {
  const inner = module.kind === "row" && module.modules[module.modules.length - 1];
  return [{ position: module.position, inward: false }, ...(inner ? outOf(inner) : [])];
}

// left and right: the sources of the arrows beside the box.
function box(module, left = into(module), right = outOf(module)) {
  const element = make("div", "box");
  const name = element.appendChild(make("button", "name"));
  name.type = "button";
  name.title = "to its next step";
  name.append(make("b", "", module.position), " " + module.layer);
  name.addEventListener("click", () => visit(module.position));
  boxes.set(module.position, element);
  const length = lengths.get(module.position) ?? whole.get(module.position);
  if (length) element.append(times(module.position, length));
  if (module.modules.length) element.classList.add("composed");
  if (module.kind === "graph") {
    element.append(graph(module));
  } else if (module.modules.length) {
    const list = element.appendChild(make("ol", "flow " + module.kind));
    const parts = module.modules, row = module.kind === "row";
    parts.forEach((part, i) => {
      const item = list.appendChild(make("li"));
      const before = !row ? into(part) : i === 0 ? left : outOf(parts[i - 1]).concat(into(part));
      const behind = !row ? outOf(part)
        : i === parts.length - 1 ? right : outOf(part).concat(into(parts[i + 1]));
      if (i === 0 || !row) item.append(arrow(before));
      item.append(box(part, before, behind), arrow(behind));
    });
  }
  return element;
}

// Time, unrolled: each step of the sequence, and how far it went.
function times(position, length) {
  const list = make("ol", "times");
  list.setAttribute("aria-label", "time");
  for (let time = 0; time < length; time++) list.append(make("li", "", String(time)));
  sequences.push({ position, list });
  return list;
}

function showTimes() {
  const now = steps[current];
  for (const { position, list } of sequences) {
    const went = [];
    for (const step of steps.slice(0, current + 1)) {
      if (step.position !== position) continue;
      const way = step.method === "updateOutput" ? "ahead" : "back";
      if (whole.has(position)) went.fill(way, 0, went.length = whole.get(position));
      else went[step.time] = way;
    }
    const atOnce = whole.has(position) && now.position === position;
    const here = now.position.startsWith(position) ? now.time : undefined;
    [...list.children].forEach((cell, time) => {
      const active = atOnce || time === here;
      cell.className = [went[time], active ? "now" : ""].filter(Boolean).join(" ");
      if (active) cell.setAttribute("aria-current", "step");
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
        const inward = entry < 0;
        place.append(make("b", "", inward ? "input" : "output"),
          arrow([{ position: module.position, inward }]));
        places.set(entry, place);
      } else {
        const part = module.modules[entry];
        place = box(part);
        place.querySelector(".name").after(arrow(outOf(part)));
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
      // Several entries of one table may go the same way: side by side.
      const twins = ways.map((other, j) => (other.join() === way.join() ? j : -1)).filter((j) => j >= 0);
      const aside = APART * (twins.indexOf(i) - (twins.length - 1) / 2);
      for (const end of bounds) end.y += aside;
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
  const end = outOf(whole);
  if (data.criterion !== null) end.push({ position: "criterion", inward: true });
  if (plain) first.append(arrow(into(whole)));
  first.append(box(whole, into(whole), end));
  if (plain) first.append(arrow(end));
  if (data.criterion !== null) {
    const criterion = { position: "criterion", layer: data.criterion, modules: [], kind: "layer" };
    const item = list.appendChild(make("li"));
    item.append(arrow(end), box(criterion), arrow([{ position: "criterion", inward: false }]));
  }
  byId("network").append(list);
}

function showNetwork() {
  // Of each position, what its calls knew, and when.
  const seen = new Map();
  for (const step of steps.slice(0, current + 1)) {
    const known = seen.get(step.position) || {};
    for (const [name, shape] of Object.entries(step.flow)) known[name] = [step.number, shape];
    if (step.method === "updateOutput") known.forward = [step.number];
    seen.set(step.position, known);
  }
  const latest = (sources, name) => {
    const found = sources.map((source) => (seen.get(source.position) || {})[name(source)]);
    return found.reduce((best, one) => (one && one[0] > best[0] ? one : best), [0, ""]);
  };
  for (const { sources, ahead, back } of arrows) {
    const [, forward] = latest(sources, ({ inward }) => (inward ? "input" : "output"));
    const [when, backward] = latest(sources, ({ inward }) => (inward ? "gradInput" : "gradOutput"));
    // A new forward makes the gradients of the last one old.
    const old = when < latest(sources, () => "forward")[0];
    ahead.shape.textContent = forward;
    back.shape.textContent = old ? "" : backward;
    back.line.classList.toggle("none", old || !backward);
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

// A network that is higher than its place, and a graph that is wider, follow the steps.
function showIn(element) {
  const place = byId("network"), bounds = place.getBoundingClientRect();
  const name = element.querySelector(".name").getBoundingClientRect();
  if (name.top < bounds.top) place.scrollTop += name.top - bounds.top - 30;
  if (name.bottom > bounds.bottom) place.scrollTop += name.bottom - bounds.bottom + 30;
  // Of graphs in graphs the outermost has the bar.
  const around = [...document.querySelectorAll(".graph")].find((graph) => graph.contains(element));
  if (!around) return;
  const outer = around.getBoundingClientRect(), inner = element.getBoundingClientRect();
  if (inner.left < outer.left) around.scrollLeft += inner.left - outer.left - 40;
  if (inner.right > outer.right) around.scrollLeft += inner.right - outer.right + 40;
}

// ------------------------------------------------------------------ arrays

function entryOf(name, index) {
  return index.length ? `${name}[${index.join(", ")}]` : name;
}
function entry(array, index) {
  const name = entryOf(array.name, index);
  return ["before", "increment", "after"].includes(array.role) ? `${name}, ${array.role}` : name;
}

// Large arrays are packed, each once.
const unpacked = [];
function valuesOf(array) {
  if (array.values || array.packed === undefined) return array.values;
  const [kind, numbers] = data.packed[array.packed];
  if (!unpacked[array.packed]) {
    const count = array.shape.reduce((product, size) => product * size, 1);
    unpacked[array.packed] = kind === "same" ? new Float64Array(count).fill(numbers)
      : arrays.decoded(numbers, kind === "f4" ? Float32Array : Float64Array);
  }
  return unpacked[array.packed];
}

// What is not rounded is written with more digits.
function precise(array, number) {
  const rounded = array.packed !== undefined && data.packed[array.packed][0] === "f4";
  return rounded && typeof number === "number" ? String(Number(number.toPrecision(7))) : exact(number);
}

function said(array, place) {
  return `${entry(array, indexOf(array.shape, place))}: ${precise(array, valuesOf(array)[place])}`;
}

function drawPicture(step, array, panel) {
  let place = null;
  const put = (tile) => {
    const map = arrays.heatMap({
      name: array.name, shape: array.shape, values: valuesOf(array), tile,
      say: (place) => said(array, place),
      choose: (place) => choose(step, array, place),
    });
    if (place) place.replaceWith(map.element);
    else panel.append(map.element);
    place = map.element;
    array.map = map;
  };
  put(array.tile);
  if (array.tile) {
    const [side] = array.tile;
    const label = make("label", "tile");
    const box = label.appendChild(make("input"));
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => put(box.checked ? array.tile : null));
    label.append(` each row as a picture of ${side} × ${side}`);
    label.title = `In a row of input, numbers ${side} apart are alike: so it looks like a picture.`;
    panel.append(label);
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") byId("steps").focus();
  });
}

function labelOf({ name, role }) {
  return role !== "held" ? role : name === "output" ? "of its forward" : "held by the layer";
}

function drawArray(step, array) {
  const title = array.name + (array.shape ? ` ${written(array.shape)}` : "");
  const panel = make("div", "array");
  if (!array.values) {
    const caption = panel.appendChild(make("div", "caption"));
    caption.append(make("code", "", title), make("span", "role", " " + labelOf(array)));
    if (array.packed === undefined) {
      panel.append(make("code", "", array.text));
      if (!array.shape) tell(step, array, explained(step, array, 0), panel);
    } else if (data.packed[array.packed][0] === "same") {
      panel.append(make("code", "", `all entries are ${precise(array, valuesOf(array)[0])}`));
    } else {
      panel.append(make("div", "facts", array.text));
      drawPicture(step, array, panel);
    }
    return panel;
  }
  array.cells = [];
  const count = array.values.length, [length] = array.shape;
  const ofSteps = ["argument", "result"].includes(array.role) || array.name === "gates";
  if (length !== step.sequence || !ofSteps || array.shape.length < 2 || !count) {
    drawTable(step, array, panel, 0, count, [`${title} `, make("span", "role", labelOf(array))]);
    return panel;
  }
  // A whole sequence, unrolled: a column for each of its steps.
  const caption = panel.appendChild(make("div", "caption"));
  caption.append(make("code", "", title), make("span", "role", " " + labelOf(array)));
  const columns = panel.appendChild(make("div", "unrolled"));
  for (let time = 0; time < length; time++) {
    const [from, to] = [time, time + 1].map((t) => (t * count) / length);
    drawTable(step, array, columns, from, to, [make("span", "role", `time ${time}`)]);
  }
  return panel;
}

// The entries of an array from one place to another, as a table.
function drawTable(step, array, panel, from, to, title) {
  const table = panel.appendChild(make("table"));
  table.setAttribute("role", "grid");
  table.appendChild(make("caption")).append(...title);
  const width = array.shape.length ? array.shape[array.shape.length - 1] : 1;
  const head = table.appendChild(make("thead")).appendChild(make("tr"));
  head.append(make("td", "corner"));
  head.firstChild.style.cursor = "default";
  for (let j = 0; j < width; j++) head.appendChild(make("th", "", j)).scope = "col";
  const body = table.appendChild(make("tbody"));
  for (let place = from; place < to;) {
    const row = body.appendChild(make("tr"));
    const prefix = indexOf(array.shape, place).slice(0, -1).join(", ");
    row.appendChild(make("th", "", prefix)).scope = "row";
    for (let j = 0; j < width; j++, place++) {
      const here = place;
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
      cell.tabIndex = place === from ? 0 : -1;
      cell.dataset.index = index.join(",");
      cell.addEventListener("click", () => choose(step, array, here));
      cell.addEventListener("keydown", (event) => move(event, step, array, here, width));
      array.cells.push(cell);
    }
  }
}

function move(event, step, array, place, width) {
  const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (way) {
    const j = (place % width) + way[1];
    const target = array.cells[place + way[0] * width + way[1]];
    if (target && j >= 0 && j < width) {
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

// The entries along a dimension, as one writes them.
function range(numbers, size) {
  const [first] = numbers, last = numbers[numbers.length - 1], step = numbers[1] - first;
  if (numbers.length === 1) return String(first);
  if (numbers.length === size) return ":";
  if (!numbers.every((number, k) => number === first + k * step)) return `[${numbers.join(", ")}]`;
  return `${first}:${last + 1}${step > 1 ? `:${step}` : ""}`;
}

// Of what the entries of a large array are made, each found when it is asked for.
function windowsOf(step, array) {
  const found = {};
  for (const [name, dimensions] of Object.entries(array.regions)) {
    const source = step.arrays.find((one) => one.name === name);
    if (!source) continue;
    const { shape } = source;
    const known = new Map();
    const window = (place) => {
      const index = indexOf(array.shape, place);
      const along = dimensions.map(([axis, each]) => each[axis === null ? 0 : index[axis]]);
      if (along.some((numbers) => !numbers.length)) return null;
      const places = along.reduce(
        (before, numbers, d) => before.flatMap((place) => numbers.map((k) => place * shape[d] + k)), [0]);
      const whole = along.every((numbers, d) => numbers.length === shape[d]);
      const words = along.map((numbers, d) => range(numbers, shape[d])).join(", ");
      return [whole ? `all of ${name}` : `${name}[${words}]`, places];
    };
    found[name] = new Proxy({}, {
      get(_, place) {
        if (!known.has(place)) known.set(place, window(Number(place)));
        return known.get(place);
      },
    });
  }
  return found;
}

function clearMarks() {
  for (const cell of document.querySelectorAll(".chosen, .source")) {
    cell.classList.remove("chosen", "source");
  }
  for (const step of steps) {
    for (const { map } of step.arrays) if (map) map.clear();
  }
}

function choose(step, array, place) {
  clearMarks();
  if (array.cells) array.cells[place].classList.add("chosen");
  else array.map.choose(place);
  const index = indexOf(array.shape, place);
  const detail = byId("detail");
  detail.replaceChildren(make("p", "value", `${entry(array, index)} = ${precise(array, valuesOf(array)[place])}`));
  if (array.numeric) {
    const [numeric, verdict] = array.numeric[place];
    detail.append(make("p", "numeric", `numeric derivative of the loss: ${exact(numeric)}, which ${verdict}`));
  } else if (array.name.startsWith("grad") && (array.role === "result" || array.role === "increment")) {
    detail.append(make("p", "numeric", step.unlinked
      ? "no numeric derivative: this gradOutput did not come from the criterion"
      : array.values ? "no numeric derivative"
      : "no numeric derivative: it is not computed for large arrays"));
  }
  const told = explained(step, array, place);
  const made = [];
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
      // The statement may know better than that all of it takes part.
      if (told && axes.every((axis) => axis === null) && told.read.has(name)) continue;
      const fixed = axes.map((axis) => (axis === null ? null : index[axis]));
      const takesPart = (i, at) => fixed.every((k, axis) => k === null || k === at[axis]);
      parts.push([name, place_of(name, fixed), takesPart]);
    }
  }
  for (const [name, places] of told ? told.read : []) {
    const other = step.arrays.find((one) => one.name === name);
    if (parts.some(([known]) => known === name)) continue;
    const words = places.size === valuesOf(other).length ? `all of ${name}`
      : places.size === 1 ? entryOf(name, indexOf(other.shape, [...places][0]))
      : `${places.size} entries of ${name}`;
    parts.push([name, words, (i) => places.has(i)]);
  }
  for (const [name, words, takesPart] of parts) {
    made.push(words);
    for (const other of step.arrays) {
      const values = valuesOf(other);
      if (other.name !== name || !values || !values.length || other === array) continue;
      if (["before", "increment", "after"].includes(other.role)) continue;
      const places = [];
      for (let i = 0; i < values.length; i++) {
        if (takesPart(i, indexOf(other.shape, i))) places.push(i);
      }
      if (other.cells) for (const i of places) other.cells[i].classList.add("source");
      else if (other.map) other.map.mark(places);
    }
  }
  if (made.length) detail.append(make("p", "made", `made of ${made.join(" and ")}`));
  tell(step, array, told, detail);
  if (array.role === "increment" && step.scale !== 1) {
    detail.append(make("p", "scale", `the scale, ${step.scale}, is a factor of it, and of the numeric derivative`));
  }
  const meaning = meant(step, array, place);
  if (meaning) detail.append(make("p", "meaning", meaning));
  clearOf(array.cells ? array.cells[place] : array.map.element);
}

// How the statement that gives an entry comes to it, if it does.
function explained(step, array, place) {
  if (!["result", "increment"].includes(array.role)) return null;
  const values = valuesOf(array) || [Number(array.text)], value = Number(values[place]);
  const told = explain.entry(step, array.name, indexOf(array.shape || [], place), valuesOf);
  const size = Math.max(Math.abs(value), 1e-3 * arrays.largestOf(values));
  return told && Math.abs(told.value - value) <= 1e-3 * size ? told : null;
}

// The statement with numbers put in, and what the chain rule says of it.
function tell(step, array, told, where) {
  if (!told) return;
  const line = (kind, text) => where.append(make("p", kind, text));
  const equal = (text, number) => (text === shown(number) ? text : `${text} = ${shown(number)}`);
  if (told.text !== null) line("terms", equal(told.text, told.value));
  for (const part of told.parts) {
    line("terms", `where ${entryOf(part.name, part.index)} = ${equal(part.text, part.value)}`);
  }
  if (!told.chain) return;
  const { from, local, value, sum } = told.chain;
  line("chain", "The chain rule: " + (
    sum ? `each gradOutput, which came from behind, times its local derivative, the ${sum} that meets it; then their sum.`
    : sum === null ? "the local derivative is 1, so what came from behind is added up."
    : local === "1" ? "the local derivative is 1, so what came from behind goes on."
    : `what came from behind, ${shown(from)}, times the local derivative, ${equal(local, value)}.`));
}

// What a gradient says of the loss.
function meant(step, array, place) {
  const increment = array.role === "increment";
  if (!step.linked || data.criterion === null || !valuesOf(array)) return null;
  if (!increment && !(array.role === "result" && array.name.startsWith("gradInput"))) return null;
  const slope = Number(valuesOf(array)[place]) / (increment ? step.scale : 1);
  if (!Number.isFinite(slope)) return null;
  const name = array.name.replace(/^grad(.)/, (_, letter) => letter.toLowerCase());
  const entry = entryOf(name, indexOf(array.shape, place));
  const verdict = array.numeric ? array.numeric[place][1] : null;
  if (verdict === "lies at a kink") {
    return `Where ${entry} is now the loss has a kink: it changes by one slope when ${entry} grows, by another when it shrinks, and no one number is both.`;
  }
  const uses = (increment && step.uses && step.uses[name]) || 1;
  const alone = array.share ? " for this module alone" : uses > 1 ? ` in this one of its ${uses} uses alone` : "";
  const when = `hen ${entry} grows by 0.01${alone}`;
  const change = slope === 0 ? "stays as it is"
    : `${slope < 0 ? "falls" : "rises"} by about ${shown(Math.abs(slope) / 100)}`;
  const by = verdict === "agrees" ? "W"
    : `By this gradient, ${verdict === "differs" ? "which the numeric derivative contradicts, " : ""}w`;
  return `${by}${when}, the loss ${change}.`;
}

// What the largest of the gradients of a step says.
function strongest(step) {
  let best = null;
  for (const array of step.arrays) {
    if (!valuesOf(array) || meant(step, array, 0) === null) continue;
    valuesOf(array).forEach((value, place) => {
      const size = Math.abs(Number(value));
      if (!best || size > best.size) best = { array, place, size };
    });
  }
  return best && meant(step, best.array, best.place);
}

// What is said stands over the lower end of the page: the entry stays above it.
function clearOf(element) {
  const bounds = element.getBoundingClientRect();
  const over = bounds.bottom + 8 - byId("detail").getBoundingClientRect().top;
  if (over > 0) scrollBy(0, over);
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
    const made = element.appendChild(make("p", "", "Made of "));
    if (first === last) made.append(link(first, `step ${first}`), ".");
    else made.append(`steps `, link(first, first), " to ", link(last, last), ".");
  }
  const purpose = element.appendChild(make("p", "purpose", step.purpose));
  const meaning = strongest(step);
  if (meaning) purpose.append(` ${meaning}`);
  element.append(make("pre", "maths", step.maths.join("\n")));
  if (step.hint) element.append(make("p", "note", step.hint));
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

function link(number, text) {
  const element = make("a", "", text);
  element.href = `#step=${number}`;
  element.setAttribute("aria-label", `step ${number}`);
  element.addEventListener("click", (event) => {
    // In a notebook's frame the address is the notebook's.
    event.preventDefault();
    go(steps.findIndex((step) => step.number === number));
  });
  return element;
}

// Which steps the keys and buttons go through: all, or those that say something new.
function repeats(step) {
  return step.inside !== null || step.nothing;
}
function walked() {
  const all = steps.map((_, i) => i);
  const fewer = byId("skip").checked ? all.filter((i) => !repeats(steps[i])) : all;
  return fewer.length ? fewer : all;
}
function along(by) {
  const way = walked();
  const target = by > 0 ? way.find((i) => i > current) : way.findLast((i) => i < current);
  if (target !== undefined) go(target);
}

// The next step of a module, from the first again after the last.
function visit(position) {
  const own = steps.map((_, i) => i).filter((i) => steps[i].position === position);
  const next = own.find((i) => i > current) ?? own[0];
  if (next !== undefined) go(next);
}

const framed = window.parent !== window;

// The step that the address names; without a name it is the first.
function addressed() {
  if (!location.hash) return 0;
  const [, number] = location.hash.match(/^#step=(\d+)$/) || [];
  return steps.findIndex((step) => step.number === Number(number));
}

function address(i) {
  return `#step=${steps[i].number}`;
}

// sliding: it passes through many steps, of which the browser's way back knows one.
function go(i, sliding = false) {
  if (i === current) return;
  const started = current >= 0;
  if (started) section(current).hidden = true;
  current = i;
  section(i).hidden = false;
  clearMarks();
  byId("detail").replaceChildren(make("p", "", "Choose an entry of a table to see what it is made of."));
  if (started && !framed && addressed() !== i) {
    if (sliding) location.replace(address(i));
    else location.hash = address(i);
  }
  byId("said").textContent = section(i).querySelector("h2").textContent;
  showControls();
  showNetwork();
}

function showControls() {
  const way = walked(), place = way.findLastIndex((i) => i <= current);
  slider.max = way.length;
  slider.value = place + 1;
  slider.setAttribute("aria-valuetext", section(current).querySelector("h2").textContent);
  byId("count").textContent = `step ${current + 1} of ${steps.length}`;
  byId("first").disabled = byId("back").disabled = current <= way[0];
  byId("last").disabled = byId("next").disabled = current >= way[way.length - 1];
}

byId("first").addEventListener("click", () => go(walked()[0]));
byId("back").addEventListener("click", () => along(-1));
byId("next").addEventListener("click", () => along(1));
byId("last").addEventListener("click", () => go(walked()[walked().length - 1]));
byId("skip").addEventListener("change", showControls);
slider.addEventListener("input", () => go(walked()[Number(slider.value) - 1], true));
window.addEventListener("hashchange", () => {
  const i = addressed();
  if (i >= 0) go(i);
  else location.replace(address(current));
});
document.addEventListener("keydown", (event) => {
  if (event.target === slider || event.ctrlKey || event.altKey || event.metaKey) return;
  const act = {
    ArrowRight: () => along(1),
    ArrowLeft: () => along(-1),
    Home: () => go(walked()[0]),
    End: () => go(walked()[walked().length - 1]),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
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
drawNetwork();
if (steps.length) {
  go(Math.max(0, addressed()));
  // An address of no step here.
  if (!framed && addressed() < 0) location.replace(address(current));
} else byId("steps").append(make("p", "", "Nothing was recorded."));
