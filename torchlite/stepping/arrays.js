"use strict";
// Arrays as pictures: a square for each entry, blue below 0, orange above, the paper's colour at 0.
// A page puts arrays.css and this file into its own, and calls
//   const map = arrays.heatMap({ name, shape, values, tile, most, say, choose });
//   page.append(map.element);
//   map.update(values);
// name, shape: as on the label; values: all entries in C order. The rest may be left out:
// tile: [height, width] of the picture that each row of a matrix is;
// most: [width, height] that the picture may have, in pixels;
// say: a function of an entry's place in C order that returns the words for it;
// choose: a function of that place, called when the entry is clicked, or by Enter.
// A map also has mark(places), choose(place) and clear(), which frame entries, and focus().
const arrays = (() => {
  // So wide and high a picture may become, in pixels; where that is too little, a frame scrolls.
  const WIDEST = 620, HIGHEST = 330, LARGEST = 16, SMALLEST = 3, GAP = 4;
  // Vectors of more entries are drawn in several lines.
  const LINE = 100;
  // The map of each element.
  const drawn = new WeakMap();

  // What comes from a user's program gets into a page as text, never as markup.
  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // Packed arrays come as base64 of their bytes.
  function decoded(text, Kind) {
    return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  }

  const rounded = (digits) => (number) =>
    typeof number === "number" && Number.isFinite(number)
      ? String(Number(number.toPrecision(digits)))
      : String(number);
  const shown = rounded(4), exact = rounded(10);

  function indexOf(shape, place) {
    const index = [];
    for (const size of [...shape].reverse()) {
      index.unshift(place % size);
      place = Math.floor(place / size);
    }
    return index;
  }

  function written(shape) {
    return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  }

  // The largest distance from 0, of what is finite.
  function largestOf(values) {
    let largest = 0;
    for (const value of values) {
      const size = Math.abs(value);
      if (size > largest && size < Infinity) largest = size;
    }
    return largest;
  }

  // Tiles of height times width entries, so many in a line, each entry so many pixels wide.
  function layout(shape, tile, room, highest = HIGHEST) {
    const count = shape.reduce((product, size) => product * size, 1);
    const last = shape[shape.length - 1] ?? 1;
    let [height, width] = tile || [shape[shape.length - 2] ?? 1, last];
    if (shape.length < 2 && !tile && last > LINE) [height, width] = [Math.ceil(last / LINE), LINE];
    const tiles = Math.ceil(count / (height * width));
    // A sample's channels stand in a line of their own.
    const most = shape.length > 3 && !tile && shape[shape.length - 3] > 1 ? shape[shape.length - 3] : tiles;
    for (let cell = LARGEST; ; cell--) {
      const fitting = Math.max(1, Math.floor((room + GAP) / (width * cell + GAP)));
      const across = Math.min(most, fitting);
      const down = Math.ceil(most / across) * Math.ceil(tiles / most);
      const high = down * (height * cell + GAP) - GAP, wide = across * (width * cell + GAP) - GAP;
      if (cell === SMALLEST || (high <= highest && wide <= room)) {
        return { count, height, width, most, across, down, cell, wide, high };
      }
    }
  }

  function heatMap({ name, shape, values, tile, most: [widest, highest] = [WIDEST, HIGHEST], say, choose }) {
    const room = Math.min(widest, Math.max(200, document.documentElement.clientWidth - 70));
    const plan = layout(shape, tile, room, highest);
    const { height, width, most, across, cell } = plan;
    const element = make("div", "heat");
    const frame = element.appendChild(make("div", "frame"));
    const canvas = frame.appendChild(make("canvas"));
    canvas.width = Math.max(1, plan.wide);
    canvas.height = Math.max(1, plan.high);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "heat map");
    canvas.setAttribute("aria-label",
      `${name} ${written(shape)}; the arrow keys tell the numbers, Enter chooses one`);
    const legend = element.appendChild(make("div", "legend"));
    const low = legend.appendChild(make("span"));
    legend.append(make("span", "scale"));
    const high = legend.appendChild(make("span"));
    const odd = legend.appendChild(make("span", "odd"));
    const readout = element.appendChild(make("output", "readout"));
    const small = make("canvas");
    let largest = 0, cursor = 0, framed = [], chosen = -1;

    // Where an entry stands, in entries and gaps: of tiles, line and column, and inside of its tile.
    function spot(place) {
      const number = Math.floor(place / (height * width)), inside = place % (height * width);
      const group = Math.floor(number / most), member = number % most;
      const line = group * Math.ceil(most / across) + Math.floor(member / across);
      return [line, member % across, Math.floor(inside / width), inside % width];
    }
    function corner(place) {
      const [line, column, i, j] = spot(place);
      return [column * (width * cell + GAP) + j * cell, line * (height * cell + GAP) + i * cell];
    }
    // The place of the entry under a point, or undefined.
    function under(x, y) {
      const column = Math.floor(x / (width * cell + GAP)), line = Math.floor(y / (height * cell + GAP));
      const j = Math.floor((x - column * (width * cell + GAP)) / cell);
      const i = Math.floor((y - line * (height * cell + GAP)) / cell);
      if (x < 0 || y < 0 || column >= across || i >= height || j >= width) return undefined;
      const lines = Math.ceil(most / across);
      const member = (line % lines) * across + column;
      const number = Math.floor(line / lines) * most + member;
      const place = number * height * width + i * width + j;
      return member < most && place < plan.count ? place : undefined;
    }

    function words(place) {
      if (say) return say(place);
      const index = indexOf(shape, place);
      return `${name}${index.length ? `[${index.join(", ")}]` : ""}: ${exact(values[place])}`;
    }

    // Colours change with the numbers and with light and dark; frames far more often.
    function paint() {
      const style = getComputedStyle(document.documentElement);
      const colour = (variable) => style.getPropertyValue(variable).match(/[\d.]+/g).map(Number);
      const [zero, minus, plus, none] = ["--zero", "--minus", "--plus", "--none"].map(colour);
      // One pixel an entry.
      small.width = across * width;
      small.height = Math.max(1, plan.down) * height;
      const context = small.getContext("2d");
      const image = context.createImageData(small.width, small.height);
      for (let place = 0; place < plan.count; place++) {
        const [line, column, i, j] = spot(place);
        const value = Number(values[place]), far = value < 0 ? minus : plus;
        const part = largest > 0 ? Math.min(1, Math.abs(value) / largest) : 0;
        const at = 4 * ((line * height + i) * small.width + column * width + j);
        for (let c = 0; c < 3; c++) {
          image.data[at + c] = Number.isNaN(value) ? none[c] : zero[c] + part * (far[c] - zero[c]);
        }
        image.data[at + 3] = 255;
      }
      context.putImageData(image, 0, 0);
    }

    function draw() {
      const style = getComputedStyle(document.documentElement);
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.clearRect(0, 0, canvas.width, canvas.height);
      for (let line = 0; line < plan.down; line++) {
        for (let column = 0; column < across; column++) {
          const to = [column * (width * cell + GAP), line * (height * cell + GAP)];
          context.drawImage(small, column * width, line * height, width, height,
            ...to, width * cell, height * cell);
        }
      }
      // A line around what takes part, between its entries and others.
      const marked = new Set(framed);
      context.strokeStyle = style.getPropertyValue("--mark");
      context.lineWidth = 2;
      context.beginPath();
      for (const place of framed) {
        const [x, y] = corner(place), [, , i, j] = spot(place);
        const edge = (there, other, ...line) => {
          if (there && marked.has(other)) return;
          context.moveTo(line[0], line[1]);
          context.lineTo(line[2], line[3]);
        };
        edge(j > 0, place - 1, x + 1, y, x + 1, y + cell);
        edge(j < width - 1, place + 1, x + cell - 1, y, x + cell - 1, y + cell);
        edge(i > 0, place - width, x, y + 1, x + cell, y + 1);
        edge(i < height - 1, place + width, x, y + cell - 1, x + cell, y + cell - 1);
      }
      context.stroke();
      const box = (place, line) => {
        const [x, y] = corner(place);
        context.lineWidth = line;
        context.strokeRect(x + 1, y + 1, cell - 2, cell - 2);
      };
      if (chosen >= 0) box(chosen, 3);
      if (document.activeElement === canvas && plan.count) {
        context.strokeStyle = style.getPropertyValue("--ink");
        box(cursor, 2);
      }
    }

    function point(place) {
      cursor = place;
      readout.textContent = words(place);
      draw();
    }

    function follow() {
      const [x, y] = corner(cursor);
      frame.scrollLeft = Math.min(x, Math.max(frame.scrollLeft, x + cell - frame.clientWidth));
      const top = canvas.getBoundingClientRect().top + y;
      if (top < 0 || top + cell > innerHeight) scrollBy(0, top - innerHeight / 2);
    }

    function placeOf(event) {
      const bounds = canvas.getBoundingClientRect();
      return under(event.clientX - bounds.left, event.clientY - bounds.top);
    }
    canvas.addEventListener("pointermove", (event) => {
      const place = placeOf(event);
      if (place !== undefined && place !== cursor) point(place);
    });
    canvas.addEventListener("click", (event) => {
      const place = placeOf(event);
      if (place === undefined) return;
      point(place);
      if (choose) choose(place);
    });
    canvas.addEventListener("focus", () => plan.count && point(cursor));
    canvas.addEventListener("blur", draw);
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way) {
        const [x, y] = corner(cursor);
        const middle = cell / 2, [a, b] = [x + middle + way[0] * cell, y + middle + way[1] * cell];
        // Across a gap, if there is one.
        const next = under(a, b) ?? under(a + way[0] * GAP, b + way[1] * GAP);
        if (next !== undefined) point(next);
        follow();
      } else if ((event.key === "Enter" || event.key === " ") && choose) {
        choose(cursor);
      } else {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    });

    const map = {
      element,
      update(numbers) {
        values = numbers;
        largest = largestOf(values);
        low.textContent = largest > 0 ? shown(-largest) : "";
        high.textContent = largest > 0 ? shown(largest) : "all 0";
        let count = 0;
        for (const value of values) count += !Number.isFinite(Number(value));
        odd.textContent = count ? `${count} not finite` : "";
        if (readout.textContent) readout.textContent = words(cursor);
        map.redraw();
      },
      redraw() {
        paint();
        draw();
      },
      mark(places) {
        framed = places;
        draw();
      },
      choose(place) {
        chosen = cursor = place;
        draw();
      },
      clear() {
        framed = [];
        chosen = -1;
        draw();
      },
      focus: () => canvas.focus(),
    };
    drawn.set(element, map);
    map.update(values);
    return map;
  }

  // All maps of the page, when its colours have changed.
  function redraw() {
    for (const element of document.querySelectorAll(".heat")) drawn.get(element).redraw();
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  return { decoded, exact, heatMap, indexOf, largestOf, layout, make, redraw, shown, written };
})();
