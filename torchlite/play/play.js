"use strict";
// The page of a run. `new Play(root, source)` fills what play.html has inside of root; source is
// { live, next: async (after) => frame or null, do: async (command) => answer, again: how to start it
// anew }. After the last frame comes { over: why }. Nothing outside of root is touched, so that it may
// be a cell of a notebook. arrays.js stands before it.
const Play = (() => {
  const { decoded, exact, heatMap, indexOf, make, shown, written } = arrays;
  const SVG = "http://www.w3.org/2000/svg";
  // Of many classes each has a colour; of two, what is blue and what is orange elsewhere. Each is the
  // farthest there was from those before, as the eye sees it; on white and on black it can be seen.
  const MANY = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#e08214", "#35978f",
    "#8c510a", "#7800f0", "#f000f0", "#f0a0f0", "#00c800", "#a078f0", "#0050f0", "#c80000", "#00a0f0",
    "#00c8a0", "#f028a0", "#7850a0", "#78a000", "#f0a0a0", "#a07800", "#a028c8", "#5078f0", "#f00050",
    "#a0a0f0", "#c850c8", "#f05000", "#f078c8"];
  // So wide and high a picture may be, in pixels.
  const MOST = [320, 200];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  // With less motion so many milliseconds pass between two pictures.
  const CALM = 500;

  function numbersOf(array) {
    return array.data === undefined ? null : decoded(array.data, Float32Array);
  }

  function pointsOf(curve) {
    return { steps: decoded(curve.steps, Float64Array), values: decoded(curve.values, Float32Array) };
  }

  function percent(share) {
    return share === null ? "–" : `${(100 * share).toFixed(share === 1 ? 0 : 1)} %`;
  }

  function colours(element) {
    const style = getComputedStyle(element);
    return (name) => style.getPropertyValue(name).trim();
  }

  function rgb(text) {
    return text.startsWith("#")
      ? [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16))
      : text.match(/[\d.]+/g).map(Number);
  }

  function svg(tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  function set(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // ---------------------------------------------------------------- histograms

  class Histogram {
    constructor(name) {
      this.name = name;
      this.element = make("figure", "histogram");
      this.canvas = this.element.appendChild(make("canvas"));
      this.canvas.width = 120;
      this.canvas.height = 32;
      this.canvas.setAttribute("role", "img");
      this.caption = this.element.appendChild(make("figcaption"));
    }

    update(values, colour) {
      const largest = arrays.largestOf(values), bins = new Array(30).fill(0);
      let sum = 0, squares = 0, count = 0;
      for (const value of values) {
        if (!Number.isFinite(value)) continue;
        const place = largest > 0 ? Math.floor(((value / largest + 1) / 2) * bins.length) : bins.length / 2;
        bins[Math.min(bins.length - 1, place)]++;
        sum += value;
        squares += value * value;
        count++;
      }
      const mean = count ? sum / count : 0, most = Math.max(1, ...bins);
      const deviation = count ? Math.sqrt(Math.max(0, squares / count - mean * mean)) : 0;
      const { width, height } = this.canvas, context = this.canvas.getContext("2d");
      context.clearRect(0, 0, width, height);
      bins.forEach((n, i) => {
        context.fillStyle = `rgb(${colour(2 * i < bins.length ? "--minus" : "--plus")})`;
        const high = n ? Math.max(1, (n / most) * (height - 2)) : 0;
        context.fillRect((i * width) / bins.length, height - high, width / bins.length - 1, high);
      });
      context.fillStyle = colour("--faint");
      context.fillRect(width / 2 - 0.5, 0, 1, height);
      const said = `mean ${mean.toPrecision(2)}, deviation ${deviation.toPrecision(2)}`;
      set(this.caption, said);
      this.canvas.setAttribute("aria-label", `How often which number stands in ${this.name}: ${said}`);
    }
  }

  // ---------------------------------------------------------------- arrays

  class Panel {
    // An array: its name, its picture, its histogram.
    constructor(play, position, array) {
      Object.assign(this, { play, position });
      this.element = make("div", `array ${array.role}`);
      this.title = this.element.appendChild(make("div", "caption"));
      this.frame = this.element.appendChild(make("div", "map"));
      this.maps = new Map();
      this.histogram = new Histogram(array.name);
      this.element.append(this.histogram.element);
      this.text = this.element.appendChild(make("code", "norm"));
    }

    update(array, colour) {
      this.array = array;
      const whole = array.of || array.shape;
      const name = array.role === "update" ? `update of ${array.name}` : array.name;
      set(this.title, `${name} ${written(whole)}${array.of ? ", the first" : ""}`);
      const values = numbersOf(array);
      this.frame.hidden = this.histogram.element.hidden = values === null;
      this.text.hidden = values !== null;
      this.values = values;
      if (values === null) {
        set(this.text, array.norm === undefined ? "" : `norm ${shown(array.norm)}`);
        return;
      }
      // The last batch of an epoch is shorter than others: each shape has its picture.
      const key = array.shape.join();
      if (!this.maps.has(key)) {
        const choosable = array.role === "parameter" || array.role === "input";
        const choose = choosable && this.play.source.live
          ? (place) => this.play.edit(this, place) : undefined;
        const say = (place) => `${name}[${indexOf(array.shape, place).join(", ")}] = ${exact(this.values[place])}`;
        const { tile } = array;
        this.maps.set(key, heatMap({ name, shape: array.shape, values, say, choose, tile, most: MOST }));
      }
      const map = this.maps.get(key);
      if (this.map !== map) {
        this.map = map;
        this.frame.replaceChildren(map.element);
        const high = this.frame.offsetHeight;
        if (high > (this.high || 0)) this.frame.style.minHeight = `${(this.high = high)}px`;
      }
      map.update(values);
      this.histogram.update(values, colour);
    }
  }

  class Panels {
    // The arrays of a layer, or of a call.
    constructor(play, position, element) {
      Object.assign(this, { play, position, element });
      this.panels = new Map();
      this.listed = "";
    }

    update(listed, colour) {
      const keys = listed.map((array) => `${array.role} ${array.name}`);
      if (this.listed !== keys.join()) {
        this.listed = keys.join();
        this.arrange(listed, keys);
      }
      listed.forEach((array, i) => this.panels.get(keys[i]).update(array, colour));
    }

    // A parameter stands with its gradient and its update, results stand together.
    arrange(listed, keys) {
      const known = this.panels;
      let group = null;
      this.panels = new Map();
      this.element.replaceChildren();
      listed.forEach((array, i) => {
        const panel = known.get(keys[i]) || new Panel(this.play, this.position, array);
        this.panels.set(keys[i], panel);
        const before = i ? listed[i - 1].role : "";
        const begins = array.role === "parameter" || array.role === "activation" && before !== "activation";
        if (i === 0 || begins || before === "update") {
          const lines = (array.of || array.shape).length < 2;
          group = this.element.appendChild(make("div", lines ? "group lines" : "group"));
        }
        group.append(panel.element);
      });
    }
  }

  // ---------------------------------------------------------------- layers

  class Layer {
    constructor(play, layer) {
      this.play = play;
      this.position = layer.position;
      this.element = make("section", "card layer");
      const head = this.element.appendChild(make("header"));
      const title = head.appendChild(make("h2"));
      this.fold = title.appendChild(make("button", "fold"));
      this.fold.type = "button";
      this.fold.append(make("b", "", layer.position), " " + layer.layer);
      this.fold.addEventListener("click", () =>
        play.do({ do: "open", position: this.position, open: this.fold.getAttribute("aria-expanded") !== "true" }));
      this.ratios = head.appendChild(make("ul", "ratios"));
      this.units = this.element.appendChild(make("div", "units"));
      this.arrays = this.element.appendChild(make("div", "arrays"));
      this.panels = new Panels(play, layer.position, this.arrays);
      this.tiles = [];
      // What nobody sees is not drawn, but when it comes into view.
      this.seen = false;
      play.watch(this.element, (seen) => {
        this.seen = seen;
        if (seen && this.late) this.update(...this.late, colours(play.root));
      });
    }

    update(layer, frame, colour) {
      this.late = this.seen ? null : [layer, frame];
      if (this.late) return;
      this.fold.setAttribute("aria-expanded", String(layer.open));
      this.element.classList.toggle("active", frame.pass !== null && frame.pass.position === layer.position);
      const ratios = Object.entries(layer.ratios);
      while (this.ratios.children.length > ratios.length) this.ratios.lastChild.remove();
      ratios.forEach(([name, ratio], i) => {
        const item = this.ratios.children[i] || this.ratios.appendChild(make("li"));
        if (!item.firstChild) item.append(make("span"), make("meter"));
        set(item.firstChild, `update / ${name}: ${typeof ratio === "number" ? ratio.toPrecision(2) : ratio}`);
        // From 1e-6 to 1, by decades: about 1e-3 is usual.
        const meter = item.lastChild;
        meter.min = -6; meter.max = 0; meter.low = -4; meter.high = -2; meter.optimum = -3;
        meter.value = ratio > 0 ? Math.log10(ratio) : -6;
        meter.setAttribute("aria-label", `update to weight ratio of ${name}`);
        item.title = "norm of the last update over that of the parameter; about 0.001 is usual";
      });
      this.showUnits(layer.open && frame.plane ? frame.plane.units[layer.position] : undefined, frame.plane, colour);
      this.arrays.hidden = !layer.open;
      if (layer.open) this.panels.update(layer.arrays, colour);
    }

    showUnits(units, plane, colour) {
      this.units.hidden = !units;
      if (!units) return;
      const values = decoded(units.values, Int8Array), side = plane.coarse, count = side * side;
      const largest = decoded(units.largest, Float32Array);
      while (this.tiles.length < largest.length) {
        const canvas = this.units.appendChild(make("canvas"));
        canvas.width = canvas.height = side;
        canvas.setAttribute("role", "img");
        this.tiles.push(canvas);
      }
      while (this.tiles.length > largest.length) this.tiles.pop().remove();
      const [zero, minus, plus] = ["--zero", "--minus", "--plus"].map((name) => rgb(colour(name)));
      this.tiles.forEach((canvas, unit) => {
        const context = canvas.getContext("2d"), image = context.createImageData(side, side);
        for (let i = 0; i < count; i++) {
          const value = values[unit * count + i] / 127, far = value < 0 ? minus : plus;
          for (let c = 0; c < 3; c++) image.data[4 * i + c] = zero[c] + Math.abs(value) * (far[c] - zero[c]);
          image.data[4 * i + 3] = 255;
        }
        context.putImageData(image, 0, 0);
        const said = `output ${unit} of ${this.position} over the plane; the strongest colour is ${shown(largest[unit])}`;
        if (canvas.title !== said) {
          canvas.title = said;
          canvas.setAttribute("aria-label", said);
        }
      });
    }
  }

  // ---------------------------------------------------------------- the plane

  class Plane {
    constructor(element) {
      this.element = element;
      this.canvas = element.querySelector("canvas");
      this.note = element.querySelector("[data-part=box]");
      this.scale = element.querySelector("[data-part=scale]");
      this.legend = element.querySelector("[data-part=classes]");
      this.small = make("canvas");
    }

    update(plane, colour) {
      this.element.hidden = !plane;
      if (!plane) return;
      const side = plane.side, count = side * side;
      this.small.width = this.small.height = side;
      const classes = plane.classes && decoded(plane.classes, Int32Array);
      const clear = plane.clear && decoded(plane.clear, Uint8Array);
      const values = plane.values && decoded(plane.values, Int8Array);
      // A network may answer with classes that no sample has.
      const kinds = classes ? Math.max(2, plane.kinds, ...plane.labels.map((label) => label + 1)) : 2;
      const zero = rgb(colour("--zero"));
      const palette = kinds > 2 ? MANY.map(rgb) : ["--minus", "--plus"].map((name) => rgb(colour(name)));
      const context = this.small.getContext("2d"), image = context.createImageData(side, side);
      for (let i = 0; i < count; i++) {
        const part = classes ? 0.1 + 0.65 * (clear[i] / 255) : 0.75 * Math.abs(values[i]) / 127;
        const far = palette[(classes ? classes[i] : Number(values[i] > 0)) % palette.length];
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = zero[c] + part * (far[c] - zero[c]);
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
      const to = this.canvas.getContext("2d"), { width, height } = this.canvas;
      to.imageSmoothingEnabled = true;
      to.drawImage(this.small, 0, 0, width, height);
      const points = numbersOf(plane.points), [[left, right], [low, high]] = plane.box;
      to.lineWidth = 1.5;
      for (let i = 0; 2 * i < points.length; i++) {
        const x = ((points[2 * i] - left) / (right - left)) * width;
        const y = (1 - (points[2 * i + 1] - low) / (high - low)) * height;
        this.mark(to, x, y, plane.labels ? plane.labels[i] : 0, plane.labels && palette, colour);
      }
      const [a, b, c, d] = [left, right, low, high].map((x) => x.toPrecision(2));
      const said = `From ${a} to ${b} across and from ${c} to ${d} up. ${this.explain(plane, kinds)}`;
      set(this.note, said);
      this.canvas.setAttribute("aria-label", `What the network answers for points of the plane. ${said}`);
      this.list(kinds > 2 ? Math.min(kinds, MANY.length) : 0, palette, colour);
    }

    // Who sees no colours sees circles, squares, triangles and diamonds; classes of one colour differ.
    mark(to, x, y, label, palette, colour) {
      to.beginPath();
      const sign = (label + Math.floor(label / MANY.length)) % 4;
      if (sign === 0) to.arc(x, y, 4, 0, 7);
      else if (sign === 1) to.rect(x - 3.5, y - 3.5, 7, 7);
      else {
        const corners = sign === 2 ? [[0, -5], [5, 4], [-5, 4]] : [[0, -5], [5, 0], [0, 5], [-5, 0]];
        for (const [right, down] of corners) to.lineTo(x + right, y + down);
        to.closePath();
      }
      to.fillStyle = palette ? `rgb(${palette[label % palette.length]})` : colour("--ink");
      to.strokeStyle = colour("--paper");
      to.fill();
      to.stroke();
    }

    // What colours mean; numbers have a scale.
    explain(plane, kinds) {
      const { largest } = plane;
      this.scale.hidden = !largest;
      if (plane.classes) {
        if (kinds === 2) return `Circles are ${plane.reads === "sign" ? -1 : 0}, blue; squares are 1, orange.`;
        return kinds > MANY.length
          ? `There are ${kinds} classes: from ${MANY.length} on, colours come again with other signs.` : "";
      }
      const whose = plane.outputs > 1 ? `the first of ${plane.outputs} outputs` : "the output";
      if (!largest) return `Everywhere ${whose} is 0.`;
      const [least, , most] = this.scale.children;
      set(least, shown(-largest));
      set(most, shown(largest));
      return `Colours are ${whose}: blue, ${shown(-largest)}, over 0 to orange, ${shown(largest)}.`;
    }

    // The classes, each with its mark.
    list(count, palette, colour) {
      const key = `${count} ${colour("--paper")}`;
      this.legend.hidden = !count;
      if (this.listed === key) return;
      this.listed = key;
      this.legend.replaceChildren(...Array.from({ length: count }, (_, label) => {
        const item = make("li"), canvas = item.appendChild(make("canvas"));
        canvas.width = canvas.height = 14;
        canvas.setAttribute("aria-hidden", "true");
        this.mark(canvas.getContext("2d"), 7, 7, label, palette, colour);
        item.append(String(label));
        return item;
      }));
    }
  }

  // ---------------------------------------------------------------- images

  class Images {
    constructor(element) {
      this.element = element;
      this.list = element.querySelector("ol");
    }

    update(images) {
      this.element.hidden = !images;
      if (!images) return;
      const values = numbersOf(images.pixels), [count, height, width] = images.pixels.shape;
      let low = Infinity, high = -Infinity;
      for (const value of values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      while (this.list.children.length > count) this.list.lastChild.remove();
      for (let i = 0; i < count; i++) {
        let item = this.list.children[i];
        if (!item) {
          item = this.list.appendChild(make("li"));
          item.append(make("canvas"), make("span"));
          item.firstChild.setAttribute("role", "img");
        }
        const [canvas, text] = item.children;
        if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
        const context = canvas.getContext("2d"), image = context.createImageData(width, height);
        for (let j = 0; j < width * height; j++) {
          const ink = 255 - (255 * (values[i * width * height + j] - low)) / (high - low || 1);
          image.data.fill(ink, 4 * j, 4 * j + 3);
          image.data[4 * j + 3] = 255;
        }
        context.putImageData(image, 0, 0);
        const given = images.answers && images.answers[i], answer = given < 0 ? "NaN" : given, truth = images.classes && images.classes[i];
        const right = answer === truth;
        item.className = images.answers && images.classes ? (right ? "right" : "wrong") : "";
        const said = !images.answers ? "" : right ? `${answer} ✓` : `${answer} ✗ ${truth}`;
        set(text, said);
        canvas.setAttribute("aria-label", images.answers
          ? `Image ${i} is a ${truth}, the answer is ${answer}` : `Image ${i}`);
      }
    }
  }

  // ---------------------------------------------------------------- curves

  function curve(element, name, { steps, values }, low, high, say) {
    let drawing = element.querySelector("svg");
    if (!drawing) {
      drawing = svg("svg", { viewBox: "0 0 320 110", role: "img" });
      drawing.append(svg("path", { class: "axes", d: "M 40 6 V 92 H 316" }), svg("path", { class: "line" }),
        svg("text", { x: 36, y: 14, "text-anchor": "end" }), svg("text", { x: 36, y: 92, "text-anchor": "end" }),
        svg("text", { x: 40, y: 106 }), svg("text", { x: 316, y: 106, "text-anchor": "end" }));
      element.append(drawing);
    }
    const [line, ...labels] = [...drawing.children].slice(1);
    const last = steps.length ? steps[steps.length - 1] : 1;
    const known = [...values.keys()].filter((i) => Number.isFinite(values[i]));
    const y = (value) => 92 - (Math.min(high, Math.max(low, value)) - low) / (high - low || 1) * 84;
    line.setAttribute("d", known.map((at, i) =>
      `${i ? "L" : "M"} ${(40 + (276 * steps[at]) / (last || 1)).toFixed(1)} ${y(values[at]).toFixed(1)}`).join(" "));
    [say(high), say(low), "0", `step ${last}`].forEach((text, i) => set(labels[i], text));
    const now = known.length ? say(values[known[known.length - 1]]) : "nothing yet";
    drawing.setAttribute("aria-label", `${name} up to step ${last}: now ${now}`);
  }

  // ---------------------------------------------------------------- the page

  return class Play {
    constructor(root, source) {
      Object.assign(this, { root, source });
      this.part = (name) => root.querySelector(`[data-part="${name}"]`);
      this.layers = new Map();
      this.plane = new Plane(this.part("plane"));
      this.images = new Images(this.part("images"));
      this.breaking = new Breaking(this, this.part("breaking"));
      this.batch = new Panels(this, "net", this.part("batch"));
      for (const button of root.querySelectorAll("[data-do]")) {
        button.disabled = !source.live;
        button.addEventListener("click", () => {
          const running = this.frame && this.frame.running;
          this.do({ do: button.dataset.do === "train" && running ? "pause" : button.dataset.do });
        });
      }
      root.querySelector(".settings").addEventListener("submit", (event) => event.preventDefault());
      for (const field of root.querySelectorAll("[data-set]")) {
        field.disabled = !source.live;
        field.addEventListener("change", () => this.change(field));
      }
      this.part("problem").disabled = !source.live;
      this.part("problem").addEventListener("change", (event) =>
        this.do({ do: "set", problem: event.target.value }));
      this.part("stepping").hidden = this.part("save").hidden = !source.live;
      this.prepareEditor();
      document.addEventListener("visibilitychange", () => this.draw());
      const told = new WeakMap();
      const watcher = new IntersectionObserver((entries) => {
        for (const entry of entries) told.get(entry.target)?.(entry.isIntersecting);
      }, { rootMargin: "300px" });
      this.watch = (element, tell) => {
        told.set(element, tell);
        watcher.observe(element);
      };
      this.follow();
    }

    async follow() {
      for (let after = 0; ;) {
        let frame = null;
        try {
          frame = await this.source.next(after);
          this.lose(false);
        } catch {
          this.lose(true);
          await new Promise((done) => setTimeout(done, 1000));
        }
        if (!this.root.isConnected) return;
        if (frame === null) continue;
        if (frame.over !== undefined) {
          this.end(frame.over);
          return;
        }
        after = frame.frame;
        this.frame = frame;
        this.draw();
        if (calm.matches) await new Promise((done) => setTimeout(done, CALM));
      }
    }

    async do(command) {
      let answer;
      try {
        answer = await this.source.do(command);
        this.refused = answer.ok ? "" : answer.error;
      } catch {
        this.lose(true);
      }
      this.tell();
      return answer;
    }

    change(field) {
      if (!field.checkValidity()) {
        field.reportValidity();
        return;
      }
      const name = field.dataset.set, text = field.value;
      const value = name === "optimizer" ? text : name === "speed" && text === "" ? null : Number(text);
      this.do({ do: "set", [name]: value });
    }

    lose(lost) {
      if (lost === Boolean(this.lost)) return;
      this.lost = lost;
      this.root.classList.toggle("lost", lost);
      this.tell();
    }

    // There is nobody left who could do what is asked for.
    end(why) {
      this.over = why.replace(/^play: (.)/, (_, first) => first.toUpperCase());
      this.close();
      if (this.frame) this.frame.running = false;
      this.draw();
      for (const control of this.root.querySelectorAll("button, select, input")) control.disabled = true;
      this.part("stepping").hidden = this.part("save").hidden = true;
      this.lose(true);
    }

    tell() {
      const trouble = this.part("trouble"), { frame } = this;
      const text = this.over ? this.over
        : this.lost ? `The program does not answer any more; ${this.source.again}`
        : this.refused || (frame && frame.trouble) || "";
      set(trouble, text);
      trouble.hidden = !text;
      // Of a number that is being changed it is told where that is done.
      const said = (frame && frame.said) || "", [here, there] = ["told", "said"].map(this.part);
      set(here, this.editing ? said : "");
      set(there, this.editing ? "" : said);
    }

    draw() {
      const { frame, root } = this;
      if (!frame || document.hidden) return;
      const colour = colours(root), part = this.part;
      this.drawControls(frame);
      set(part("step"), frame.step.toLocaleString("en"));
      set(part("epoch"), String(frame.epoch));
      set(part("loss"), typeof frame.loss === "number" ? frame.loss.toPrecision(3) : String(frame.loss));
      set(part("accuracy"), percent(frame.accuracy));
      set(part("pace"), frame.running ? Math.round(frame.pace.steps).toLocaleString("en") : "–");
      this.plane.update(frame.plane, colour);
      this.images.update(frame.images);
      const losses = pointsOf(frame.curves.loss), known = losses.values.filter(Number.isFinite);
      const least = Math.min(0, ...known), most = Math.max(least < 0 ? 0 : 1e-12, ...known);
      curve(part("losses"), "Loss", losses, least, most, (value) => value.toPrecision(2));
      part("accuracies-title").hidden = part("accuracies").hidden = frame.accuracy === null;
      if (frame.accuracy !== null) {
        curve(part("accuracies"), "Right answers", pointsOf(frame.curves.accuracy), 0, 1, percent);
      }
      this.batch.update([...frame.input, ...frame.target], colour);
      this.drawLayers(frame, colour);
      this.breaking.update(frame);
      this.drawPass(frame, colour);
      this.tell();
    }

    drawControls(frame) {
      const train = this.root.querySelector("[data-do=train]");
      set(train, frame.running ? "❚❚ Pause" : "▶ Train");
      const choices = (select, values) => {
        if (select.length === values.length && values.every((value, i) => select[i].value === value)) return;
        select.replaceChildren(...values.map((value) => new Option(value, value)));
      };
      choices(this.part("problem"), frame.problems.map((problem) => problem.name));
      choices(this.root.querySelector("[data-set=optimizer]"), frame.optimizers);
      const now = { ...frame.settings, speed: frame.speed === null ? "" : frame.speed };
      const fields = [...this.root.querySelectorAll("[data-set]"), this.part("problem")];
      for (const field of fields) {
        const value = String(field.dataset.set ? now[field.dataset.set] : frame.problem);
        // What somebody is writing stays as it is.
        const writing = field.matches("input") && field.ownerDocument.activeElement === field;
        if (field.value !== value && !writing) field.value = value;
      }
      const { words } = frame.problems.find((problem) => problem.name === frame.problem);
      const size = `${frame.samples.toLocaleString("en")} samples, ${frame.parameters.toLocaleString("en")} parameters, ${frame.criterion}.`;
      const joined = frame.joined ? " The last row of an epoch has no batch of its own: it joins the one before." : "";
      set(this.part("words"), `${words} ${size}${joined}`.trim());
    }

    drawLayers(frame, colour) {
      // A step has changed the number, and what it was is no more.
      if (this.editing && this.editing.step !== frame.step) this.close();
      if (this.run !== frame.run) {
        this.run = frame.run;
        this.layers.clear();
        this.part("layers").replaceChildren();
        this.close();
      }
      for (const layer of frame.layers) {
        if (!this.layers.has(layer.position)) {
          const made = new Layer(this, layer);
          this.layers.set(layer.position, made);
          this.part("layers").append(made.element);
        }
        this.layers.get(layer.position).update(layer, frame, colour);
      }
    }

    drawPass(frame, colour) {
      const section = this.part("pass"), { pass } = frame;
      section.hidden = pass === null;
      if (pass === null) return;
      if (!this.passing) {
        section.replaceChildren(make("h2"), make("pre"), make("div", "arrays"));
        this.passing = new Panels(this, "", section.querySelector(".arrays"));
      }
      set(section.querySelector("h2"),
        `Call ${pass.number} of ${pass.of}: ${pass.method} of ${pass.position}, ${pass.layer}`);
      set(section.querySelector("pre"), pass.maths.join("\n"));
      this.passing.update(pass.arrays.map((array) => ({ ...array, role: `call ${array.role}` })), colour);
    }

    // -------------------------------------------------------------- changing a number

    prepareEditor() {
      const editor = this.part("editor"), [range, number] = editor.querySelectorAll("input");
      // A number is whole when Enter is pressed, or the field is left: 1e40 is not meant by 1e400.
      for (const [field, event] of [[range, "input"], [number, "change"]]) {
        field.addEventListener(event, () => {
          if (!this.editing || !field.reportValidity()) return;
          (field === range ? number : range).value = field.value;
          this.wanted = Number(field.value);
          this.send();
        });
      }
      this.part("undo").addEventListener("click", () => {
        if (this.first === undefined) return;
        range.value = number.value = this.wanted = this.first;
        this.send();
      });
      this.part("close").addEventListener("click", () => this.close());
      editor.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        this.close();
        event.stopPropagation();
      });
    }

    async edit(panel, place) {
      if (this.over) return;
      if (this.frame.running) await this.do({ do: "pause" });
      // The number is that after the last step, which is still to be shown.
      while (this.frame.running && !this.lost) await new Promise((done) => setTimeout(done, 20));
      const { array, position, values } = panel, editor = this.part("editor");
      const [range, number] = editor.querySelectorAll("input");
      this.close();
      Object.assign(this, { editing: { panel, position, name: array.name, index: place, step: this.frame.step },
        first: undefined });
      panel.map.choose(place);
      const where = position === "net" ? array.name : `${position}.${array.name}`;
      set(this.part("edited"), `${where}[${indexOf(array.shape, place).join(", ")}]`);
      const most = 2 * Math.max(Math.abs(values[place]), arrays.largestOf(values), 0.5);
      Object.assign(range, { min: -most, max: most });
      range.value = number.value = Number(values[place].toPrecision(5));
      editor.hidden = false;
      range.focus();
    }

    close() {
      if (!this.editing) return;
      const { panel } = this.editing, held = this.part("editor").contains(document.activeElement);
      panel.map.clear();
      this.editing = null;
      this.part("editor").hidden = true;
      if (held && panel.element.isConnected) panel.map.focus();
    }

    // While one number is on its way, others wait, and the last of them is sent.
    async send() {
      if (this.sending) return;
      this.sending = true;
      while (this.editing && this.wanted !== undefined) {
        const { position, name, index } = this.editing, value = this.wanted;
        this.wanted = undefined;
        const answer = await this.do({ do: "edit", position, name, index, value });
        // What the page was shown of it is rounded.
        if (this.first === undefined && answer && answer.ok) this.first = answer.old;
      }
      this.sending = false;
    }
  };
})();
