// Of what a chosen entry is made: the statement that gives it, with numbers put in.
//   explain.entry(step, name, index, valuesOf) returns
//   { value, text, parts: [{ name, index, text, value }], chain, read }, or null where it cannot
// tell; parts are what has names of its own in the text, chain is what came from behind and the local
// derivative: { from, local, value }, or { sum } with the name of what it meets in a sum; read are
// the places, in C order, of the entries of each array that it is made of.
// Statements are trees (expressions.py). What they speak of is worked out for the one entry: an
// array is { shape, at(index), words(index) }, a table a list of them, all else a plain value.
// words gives [text, how tightly its last sign binds].
const explain = (() => {
  // So many terms of a sum are written out.
  const TERMS = 8;
  const [SIDE, SUM, PRODUCT, SIGN, POWER, ATOM] = [0, 1, 2, 3, 4, 5];
  // What is switched off adds nothing, and is a factor of 1.
  const NOTHING = { nothing: true };
  class Unknown extends Error {}
  const never = (what) => { throw new Unknown(what); };

  const { shown } = arrays;
  const number = (value) => [shown(value), value < 0 ? SIGN : ATOM];
  const wrap = ([text, binds], least) => (binds < least ? `(${text})` : text);
  // Behind a sign, what begins with another one stands in brackets.
  const second = ([text, binds], least) => wrap([text, text.startsWith("-") ? SIDE : binds], Math.max(least, SUM));
  const isTable = Array.isArray;
  const isArray = (value) => value !== null && typeof value === "object" && !isTable(value) && "at" in value;
  const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

  // A plain value as an array of no dimensions.
  function array(value) {
    if (isArray(value)) return value;
    const plain = typeof value === "boolean" ? Number(value) : value;
    if (typeof plain !== "number") never("not a number");
    return { shape: [], at: () => plain, words: () => number(plain), plain };
  }

  // A whole number that was computed, where one is needed: an index, a size.
  function settled(value) {
    if (isTable(value)) return value.map(settled);
    return isArray(value) && !value.shape.length ? value.at([]) : value;
  }

  function broadcast(...shapes) {
    const made = [];
    for (let k = 1; k <= Math.max(...shapes.map((shape) => shape.length)); k++) {
      const sizes = shapes.map((shape) => shape[shape.length - k] ?? 1);
      const size = sizes.find((one) => one !== 1) ?? 1;
      if (sizes.some((one) => one !== 1 && one !== size)) never("shapes");
      made.unshift(size);
    }
    return made;
  }
  // The index of an array that is broadcast, from that of the whole.
  const inside = (shape, index) =>
    index.slice(index.length - shape.length).map((i, k) => (shape[k] === 1 ? 0 : i));

  function pointwise(given, value, words) {
    const parts = given.map(array);
    const shape = broadcast(...parts.map((part) => part.shape));
    const own = (index) => parts.map((part) => [part, inside(part.shape, index)]);
    return {
      shape,
      at: (index) => value(...own(index).map(([part, i]) => part.at(i))),
      words: (index) => words(...own(index).map(([part, i]) => part.words(i))),
    };
  }

  const signs = {
    "+": [(a, b) => a + b, "+", SUM], "-": [(a, b) => a - b, "-", SUM],
    "*": [(a, b) => a * b, "×", PRODUCT], "/": [(a, b) => a / b, "/", PRODUCT],
    "//": [(a, b) => Math.floor(a / b), "//", PRODUCT], "%": [(a, b) => a - b * Math.floor(a / b), "%", PRODUCT],
    "**": [(a, b) => a ** b, "**", POWER],
    "&": [(a, b) => Number(a && b), "and", SIDE], "|": [(a, b) => Number(a || b), "or", SIDE],
    "==": [(a, b) => Number(a === b), "=", SIDE], "!=": [(a, b) => Number(a !== b), "≠", SIDE],
    "<": [(a, b) => Number(a < b), "<", SIDE], "<=": [(a, b) => Number(a <= b), "≤", SIDE],
    ">": [(a, b) => Number(a > b), ">", SIDE], ">=": [(a, b) => Number(a >= b), "≥", SIDE],
  };

  function two(sign, a, b) {
    if (a === NOTHING || b === NOTHING) return a === NOTHING ? b : a;
    if (sign === "@") return product(a, b);
    if (sign === "+" && isTable(a) && isTable(b)) return a.concat(b);
    if (!signs[sign]) never(sign);
    const [value, written, binds] = signs[sign];
    // 1 × x is x: the scale of most backwards.
    if (sign === "*" && a.one) return b;
    const made = pointwise([a, b], value, (left, right) => {
      const least = binds === SIDE ? SUM : binds;
      // What binds no tighter stands in brackets behind - and /.
      const behind = binds === SIDE ? SUM : least + !["+", "*"].includes(sign);
      return [`${wrap(left, least)} ${written} ${second(right, behind)}`, binds];
    });
    return { ...made, truths: binds === SIDE };
  }

  function product(a, b) {
    const [left, right] = [array(a), array(b)];
    if (left.shape.length > 2 || right.shape.length > 2 || !left.shape.length || !right.shape.length) never("@");
    const inner = left.shape[left.shape.length - 1];
    const row = left.shape.length === 2, column = right.shape.length === 2;
    const pair = (index, k) => [row ? [index[0], k] : [k], column ? [k, index[index.length - 1]] : [k]];
    const shape = [...(row ? [left.shape[0]] : []), ...(column ? [right.shape[1]] : [])];
    return summed(shape, inner, (index, k) => {
      const [i, j] = pair(index, k);
      return {
        value: () => left.at(i) * right.at(j),
        words: () => [`${wrap(left.words(i), PRODUCT)} × ${second(right.words(j), ATOM)}`, PRODUCT],
      };
    });
  }

  // A sum of so many terms, each { value, words }.
  function summed(shape, count, term) {
    return {
      shape,
      at: (index) => {
        let total = 0;
        for (let k = 0; k < count; k++) total += term(index, k).value();
        return total;
      },
      words: (index) => {
        if (!count) return number(0);
        const terms = [];
        for (let k = 0; k < Math.min(count, TERMS); k++) {
          const words = term(index, k).words();
          terms.push(k ? second(words, SUM) : wrap(words, SUM));
        }
        if (count > TERMS) terms.push("…");
        return [terms.join(" + "), count > 1 ? SUM : term(index, 0).words()[1]];
      },
    };
  }

  const reductions = {
    sum: null, mean: null,
    prod: [(all) => all.reduce((a, b) => a * b, 1), (all) => [all.map((one, k) => (k ? second : wrap)(one, SIGN)).join(" × "), PRODUCT]],
    max: [(all) => Math.max(...all), (all) => [`max(${all.map(([text]) => text).join(", ")})`, ATOM]],
    min: [(all) => Math.min(...all), (all) => [`min(${all.map(([text]) => text).join(", ")})`, ATOM]],
  };

  function reduced(kind, value, axis, kept) {
    if (isTable(value)) value = stacked(value);
    const whole = array(value), n = whole.shape.length;
    const axes = (axis === undefined || axis === null ? [...whole.shape.keys()] : [axis].flat())
      .map((one) => (one < 0 ? one + n : one));
    const sizes = axes.map((one) => whole.shape[one]);
    const shape = whole.shape.map((size, k) => (axes.includes(k) ? 1 : size)).filter((_, k) => kept || !axes.includes(k));
    const count = sizeOf(sizes);
    const full = (index, k) => {
      const over = arrays.indexOf(sizes, k);
      let next = 0;
      return whole.shape.map((_, i) => {
        if (!axes.includes(i)) return index[kept ? i : next++];
        return over[axes.indexOf(i)];
      });
    };
    const sum = summed(shape, count, (index, k) => ({
      value: () => whole.at(full(index, k)), words: () => whole.words(full(index, k)),
    }));
    if (kind === "sum") return sum;
    if (kind === "mean") return two("/", sum, count);
    if (!reductions[kind]) never(kind);
    const [of, written] = reductions[kind];
    const every = (index) => Array.from({ length: count }, (_, k) => full(index, k));
    return {
      shape,
      at: (index) => of(every(index).map(whole.at)),
      words: (index) => {
        const few = every(index).slice(0, TERMS).map(whole.words);
        return written(count > TERMS ? [...few, ["…", ATOM]] : few);
      },
    };
  }

  function stacked(table) {
    const parts = table.map(array);
    return {
      shape: [parts.length, ...broadcast(...parts.map((part) => part.shape))],
      at: ([i, ...rest]) => parts[i].at(rest),
      words: ([i, ...rest]) => parts[i].words(rest),
    };
  }

  function joined(table, axis) {
    const parts = table.map(array), n = parts[0].shape.length, along = axis < 0 ? axis + n : axis;
    const find = (index) => {
      let at = index[along];
      for (const part of parts) {
        if (at < part.shape[along]) return [part, index.map((i, k) => (k === along ? at : i))];
        at -= part.shape[along];
      }
      return never("index");
    };
    const shape = parts[0].shape.map((size, k) =>
      k === along ? parts.reduce((sum, part) => sum + part.shape[k], 0) : size);
    const via = (what) => (index) => { const [part, i] = find(index); return part[what](i); };
    return { shape, at: via("at"), words: via("words") };
  }

  function moved(value, shape, from) {
    const whole = array(value);
    return { shape, at: (index) => whole.at(from(index)), words: (index) => whole.words(from(index)) };
  }
  function turned(value) {
    const whole = array(value);
    return moved(whole, [...whole.shape].reverse(), (index) => [...index].reverse());
  }
  function reshaped(value, given) {
    const whole = array(value), count = sizeOf(whole.shape);
    let sizes = settled(given.flat());
    const known = sizeOf(sizes.filter((size) => size !== -1));
    sizes = sizes.map((size) => (size === -1 ? count / known : size));
    if (sizeOf(sizes) !== count) never("reshape");
    const flat = (index) => index.reduce((place, i, k) => place * sizes[k] + i, 0);
    return moved(whole, sizes, (index) => arrays.indexOf(whole.shape, flat(index)));
  }

  const named = (name, of, written = name) => (...given) =>
    pointwise(given, of, (...words) => [`${written}(${words.map(([text]) => text).join(", ")})`, ATOM]);
  const ufuncs = {
    exp: Math.exp, log: Math.log, sqrt: Math.sqrt, tanh: Math.tanh, sin: Math.sin, cos: Math.cos,
    abs: Math.abs, sign: Math.sign, floor: Math.floor, ceil: Math.ceil, log1p: Math.log1p, expm1: Math.expm1,
    maximum: Math.max, minimum: Math.min, square: (x) => x * x,
  };
  const short = { maximum: "max", minimum: "min" };
  const calls = {
    where: (test, yes, no) => {
      const [asked, a, b] = [test, yes, no].map(array);
      const shape = broadcast(asked.shape, a.shape, b.shape);
      const taken = (index) => (asked.at(inside(asked.shape, index)) ? a : b);
      return {
        shape,
        at: (index) => taken(index).at(inside(taken(index).shape, index)),
        words: (index) => {
          const [text] = asked.words(inside(asked.shape, index));
          const [value] = taken(index).words(inside(taken(index).shape, index));
          const truth = asked.at(inside(asked.shape, index)) ? "" : " is not so";
          return [`(${text}${truth}: ${value})`, ATOM];
        },
      };
    },
    clip: (value, low = -Infinity, high = Infinity) =>
      named("clip", (x, a, b) => Math.min(Math.max(x, a), b))(value, low, high),
    zeros_like: (value) => moved(0, array(value).shape, () => []),
    ones_like: (value) => moved(1, array(value).shape, () => []),
    zeros: (shape) => moved(0, settled([shape].flat()), () => []),
    ones: (shape) => moved(1, settled([shape].flat()), () => []),
    concatenate: (table, axis = 0) => joined(table, axis),
    stack: (table, axis = 0) => (axis === 0 ? stacked(table) : never("stack")),
    arange: (count) => ({ shape: [settled(count)], at: ([i]) => i, words: ([i]) => number(i) }),
    expand_dims: (value, axis) => {
      const whole = array(value), shape = [...whole.shape];
      const place = axis < 0 ? axis + shape.length + 1 : axis;
      shape.splice(place, 0, 1);
      return moved(whole, shape, (index) => index.filter((_, k) => k !== place));
    },
    array: (value) => value,
    len: (value) => (isTable(value) ? value.length : array(value).shape[0]),
    range: (...ends) => {
      const [first, end] = ends.length > 1 ? settled(ends) : [0, settled(ends[0])];
      return Array.from({ length: end - first }, (_, i) => first + i);
    },
    ndim: (value) => (value === NOTHING ? 0 : array(value).shape.length),
  };
  for (const [name, of] of Object.entries(ufuncs)) calls[name] = named(name, of, short[name] || name);
  for (const kind of Object.keys(reductions)) {
    calls[kind] = (value, axis, { keepdims = false, axis: named } = {}) => reduced(kind, value, axis ?? named, keepdims);
  }

  function entries(value, indices) {
    if (isTable(value)) {
      const [one] = indices;
      if (indices.length > 1) never("table");
      if (typeof one === "number") return value.at(one) ?? never("entry");
      const [low, high, step] = one.slice || never("table");
      return step === null || step === 1 ? value.slice(low ?? 0, high ?? undefined) : never("step");
    }
    const whole = array(value);
    // Numbers of entries, one array for each dimension: as many as they are long.
    if (indices.length > 1 && indices.length === whole.shape.length && indices.every(isArray)) {
      const lists = indices.map(listed);
      const from = ([k]) => lists.map((list) => list[list.length === 1 ? 0 : k]);
      return moved(whole, [Math.max(...lists.map((list) => list.length))], from);
    }
    const shape = [], ways = [];
    let k = 0;
    const rest = whole.shape.length - indices.filter((one) => one !== null).length;
    if (rest < 0 || indices.filter(isArray).length > 1) never("indices");
    for (const one of [...indices, ...Array(rest).fill({ slice: [null, null, null] })]) {
      if (one === null) {
        shape.push(1);
      } else if (typeof one === "number") {
        const fixed = one < 0 ? one + whole.shape[k] : one;
        ways[k++] = () => fixed;
      } else if (one.slice) {
        const [low, high, step] = one.slice, size = whole.shape[k], at = shape.length;
        if (step !== null && step !== 1) never("step");
        const end = (bound, otherwise) => Math.min(size, bound === null ? otherwise : bound < 0 ? bound + size : bound);
        const first = end(low, 0);
        shape.push(Math.max(0, end(high, size) - first));
        ways[k++] = (index) => first + index[at];
      } else {
        const list = listed(one), at = shape.length;
        shape.push(list.length);
        ways[k++] = (index) => list[index[at]];
      }
    }
    return moved(whole, shape, (index) => ways.map((way) => way(index)));
  }
  // The places that an array of indices, or of truths, names.
  function listed(indices) {
    if (!isArray(indices) || indices.shape.length !== 1) never("indices");
    const all = Array.from({ length: indices.shape[0] }, (_, k) => indices.at([k]));
    return indices.truths ? all.flatMap((truth, k) => (truth ? [k] : [])) : all;
  }

  function entry(step, name, index, valuesOf) {
    try {
      return explained(step, name, index, valuesOf);
    } catch (error) {
      if (error instanceof Unknown || error instanceof TypeError || error instanceof RangeError) return null;
      throw error;
    }
  }

  function explained(step, wanted, chosen, valuesOf) {
    const [base, ...path] = wanted.split(/[[\]]+/).filter(Boolean);
    const parts = [];
    const target = step.arrays.find((one) => one.name === wanted && one.windows) || {};
    const read = new Map(), known = new Map();

    function leaf(one) {
      const values = valuesOf(one);
      if (!values || one.dtype.startsWith("complex")) never("numbers");
      const at = (index) => {
        const place = index.reduce((sum, i, k) => sum * one.shape[k] + i, 0);
        if (!read.has(one.name)) read.set(one.name, new Set());
        read.get(one.name).add(place);
        const value = values[place];
        return typeof value === "boolean" ? Number(value) : typeof value === "number" ? value : Number(value);
      };
      return { shape: one.shape, at, words: (index) => number(at(index)), truths: one.dtype === "bool", leaf: one.name };
    }
    function held(name) {
      const own = (one) => !["before", "increment", "after"].includes(one.role);
      const found = step.arrays.find((one) => one.name === name && own(one));
      if (found && found.shape) return leaf(found);
      if (name in step.settings) return plain(step.settings[name]);
      if (name === "scale") return step.scale === 1 ? { ...array(1), one: true } : step.scale;
      const table = step.arrays.filter((one) => one.name.startsWith(`${name}[`) && own(one));
      if (!table.length || table.some((one, i) => one.name !== `${name}[${i}]`)) never(name);
      return table.map(leaf);
    }
    const plain = (value) => (value === null ? NOTHING : isTable(value) ? value.map(plain) : value);

    // What a name is before the statement of this number.
    function lookup(name, before, bound) {
      if (bound.has(name)) return bound.get(name);
      for (let i = before - 1; i >= 0; i--) {
        const [to, sign, tree] = step.trees[i];
        if (to === "?") never("statement");
        if (to === name) {
          // Worked out once: what it is, and its entries.
          const key = `${i} ${name}`;
          if (bound.size) return intermediate(name, worth(tree, i, bound));
          if (!known.has(key)) known.set(key, intermediate(name, worth(tree, i, bound)));
          return known.get(key);
        }
        if (isTable(to) && to[0] !== "entries" && to.includes(name)) {
          const value = worth(tree, i, bound);
          if (!isTable(value)) never("tuple");
          return value[to.indexOf(name)];
        }
        if (isTable(to) && to[0] === "entries" && to[1] === name) {
          return written(lookup(name, i, bound), to[2], sign, tree, i, bound);
        }
      }
      return held(name);
    }
    // An array some of whose entries have been written to.
    function written(whole, indices, sign, tree, i, bound) {
      const lists = indices.map((one) => listed(worth(one, i, bound)));
      const value = array(worth(tree, i, bound));
      const count = Math.max(...lists.map((list) => list.length));
      const find = (index) => {
        for (let k = 0; k < count; k++) {
          if (lists.every((list, d) => list[list.length === 1 ? 0 : k] === index[d])) return k;
        }
        return -1;
      };
      const made = (k) => moved(value, [], () => (value.shape.length ? [k] : []));
      const entry = (index) => {
        const k = find(index), old = moved(whole, [], () => index);
        if (k < 0) return old;
        return sign === "=" ? made(k) : two(sign[0], old, made(k));
      };
      return { shape: whole.shape, at: (index) => entry(index).at([]), words: (index) => entry(index).words([]) };
    }
    // What has a name of its own is written as one number, and explained in a line of its own.
    function intermediate(name, value) {
      if (!isArray(value)) return value;
      const entries = new Map();
      const at = (index) => {
        const key = index.join();
        if (!entries.has(key)) entries.set(key, value.at(index));
        return entries.get(key);
      };
      const words = (index) => {
        const told = parts.find((part) => part.name === name && String(part.index) === String(index));
        if (!told && parts.length < 4 && value.leaf === undefined && value.plain === undefined) {
          const part = { name, index };
          parts.push(part);
          [part.text] = value.words(index);
          part.value = at(index);
        }
        return number(at(index));
      };
      return { ...value, at, words };
    }

    function worth(tree, before, bound) {
      const [kind, ...rest] = tree;
      const own = (node) => worth(node, before, bound);
      if (kind === "number" || kind === "text") return rest[0];
      if (kind === "none") return null;
      if (kind === "name") return lookup(rest[0], before, bound);
      if (kind === "two") return two(rest[0], own(rest[1]), own(rest[2]));
      if (kind === "table") return rest[0].flatMap((one) => (one[0] === "all of" ? own(one[1]) : [own(one)]));
      if (kind === "one") {
        const value = own(rest[1]);
        if (rest[0] === "+" || value === NOTHING) return value;
        if (rest[0] === "~") return { ...pointwise([value], (x) => Number(!x), ([text]) => [`not ${text}`, SIDE]), truths: true };
        if (typeof value === "number") return -value;
        return pointwise([value], (x) => -x, (words) => [`-${wrap(words, ATOM)}`, SIGN]);
      }
      if (kind === "of") {
        const value = own(rest[1]);
        if (rest[0] === "T") return value === NOTHING ? value : turned(value);
        if (rest[0] === "shape") return array(value).shape;
        if (rest[0] === "size") return sizeOf(array(value).shape);
        if (rest[0] === "ndim") return array(value).shape.length;
        return never(rest[0]);
      }
      if (kind === "entries") {
        const value = own(rest[0]);
        if (value === NOTHING) return value;
        return entries(value, rest[1].map((one) => {
          if (one[0] !== "slice") return settled(own(one));
          return { slice: one.slice(1).map((end) => (end === null ? null : settled(own(end)))) };
        }));
      }
      if (kind === "each") {
        const over = own(rest[1]);
        if (!isTable(over)) never("each");
        return over.map((one) => worth(rest[2], before, new Map(bound).set(rest[0], one)));
      }
      if (kind === "call" || kind === "method") return called(kind, rest, own);
      return never(kind);
    }

    function called(kind, rest, own) {
      const [name, ...more] = rest;
      const [first, given, options] = kind === "method" ? more : [null, ...more];
      if (kind === "call" && ["conv", "conv_weight", "local_conv"].includes(name)) return correlation(given);
      const values = (first ? [first, ...given] : given).map(own);
      const extra = Object.fromEntries(Object.entries(options).map(([key, node]) => [key, settled(own(node))]));
      if (name === "copy") return values[0];
      if (name === "reshape") return reshaped(values[0], values.slice(1));
      if (name in reductions) {
        // The sum of a table is one of its entries.
        if (isTable(values[0]) && kind === "call" && name === "sum") return reduced("sum", values[0], 0, false);
        return reduced(name, values[0], settled(values[1] ?? extra.axis), Boolean(extra.keepdims));
      }
      if (!calls[name] || Object.keys(extra).length) never(name);
      return calls[name](...values);
    }

    // Along windows, entries of both sides meet in C order, where all of them are there.
    function correlation(given) {
      const sides = given.slice(0, 2).map(([kind, name]) => {
        if (kind !== "name" || !target.windows || !target.windows[name]) never("windows");
        return [held(name), target.windows[name]];
      });
      const places = (index) => {
        const place = index.reduce((sum, i, k) => sum * target.shape[k] + i, 0);
        const pair = sides.map(([, each]) => (each[place] || never("window"))[1]);
        if (pair[0].length !== pair[1].length) never("window");
        return pair;
      };
      const count = places(chosen)[0].length;
      return summed(target.shape, count, (index, k) => {
        const [i, j] = places(index).map((each, side) => arrays.indexOf(sides[side][0].shape, each[k]));
        const [left, right] = sides.map(([whole]) => whole);
        return {
          value: () => left.at(i) * right.at(j),
          words: () => [`${wrap(left.words(i), PRODUCT)} × ${second(right.words(j), ATOM)}`, PRODUCT],
        };
      });
    }

    // ---------------------------------------------------------------- the chosen entry

    const last = step.trees.findLastIndex(([to]) => to === base || (isTable(to) && to[0] === "entries" && to[1] === base));
    if (last < 0 || step.trees.slice(last + 1).some(([to]) => to === "?")) return null;
    const [to, sign, tree] = step.trees[last];
    const whole = to === base ? worth(tree, last, new Map()) : lookup(base, last + 1, new Map());
    let value = whole;
    for (const key of path) value = isTable(value) ? value[Number(key)] : never("path");
    if (isTable(value)) never("table");
    const made = array(value);
    const own = inside(made.shape, chosen);
    const [text] = made.words(own);
    const result = made.at(own), from = new Map(read);
    // Which of a table's entries it is, and what stands for it there.
    let node = to === base ? tree : null, bound = new Map();
    for (const key of path) {
      if (node && node[0] === "table") node = node[1][Number(key)];
      else if (node && node[0] === "each") {
        const over = worth(node[2], last, bound);
        bound = new Map(bound).set(node[1], isTable(over) ? over[Number(key)] : null);
        node = node[3];
      } else node = null;
    }
    return {
      // A number that is only passed on has no sign to explain.
      value: result, text: text === shown(result) ? null : text, read: from,
      parts: parts.filter((part) => part.text !== shown(part.value)),
      chain: node && chain(node, chosen, bound),
    };

    // The chain rule: what came from behind, times the local derivative.
    function chain(node, index, bound) {
      const factors = (one) => (one[0] === "two" && one[1] === "*" ? [...factors(one[2]), ...factors(one[3])]
        : one[0] === "two" && one[1] === "/" ? [...factors(one[2]), ["two", "/", ["number", 1], one[3]]] : [one]);
      const behind = (one) => (one[0] === "name" && one[1] === "gradOutput")
        || (one[0] === "method" && one[1] === "copy" && behind(one[2]));
      const said = (value) => { const one = array(value), i = inside(one.shape, index); return [wrap(one.words(i), SUM), one.at(i)]; };
      const summed = (one) => one[0] === "method" && one[1] === "sum" && behind(one[2]);
      if (node[0] === "two" && node[1] === "@") {
        const names = [node[2], node[3]].map((one) => JSON.stringify(one).match(/"name","(\w+)"/g) || []);
        const mine = names.findIndex((all) => all.some((one) => one.includes('"gradOutput"')));
        const other = names[1 - mine] && names[1 - mine].map((one) => one.slice(8, -1)).filter((one) => one !== "scale");
        return mine >= 0 && other.length === 1 ? { sum: other[0] } : null;
      }
      const all = factors(node).filter((one) => !(one[0] === "name" && one[1] === "scale"));
      if (all.length === 1 && summed(all[0])) return { sum: null };
      const mine = all.filter(behind), others = all.filter((one) => !behind(one));
      if (mine.length !== 1 || others.some((one) => JSON.stringify(one).includes('"gradOutput"'))) return null;
      const [, from] = said(worth(mine[0], last, bound));
      if (!others.length) return { from, local: "1", value: 1 };
      const product = others.reduce((a, b) => ["two", "*", a, b]);
      const [local, slope] = said(worth(product, last, bound));
      return { from, local, value: slope };
    }
  }

  return { entry };
})();
