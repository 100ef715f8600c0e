"use strict";
// Paints shares of expressions, stacked, a column of pixels at a time: lanes, overviews and strips.

const GRID_AT = 0.5, HATCH_PX = 5, HATCHED_PX = 2, EDGE_FROM_PX = 4, NAME_PX = 11, GAP_LINES_PX = 7;

/** The colours that a canvas is painted with, as pixels; of labels that are not chosen, faint ones. */
function lookOf(colours, chosen = new Set()) {
  const style = getComputedStyle(document.documentElement);
  const [card, line, edge] = ["--card", "--line", "--edge"].map((name) => channels(style.getPropertyValue(name)));
  const shown = colours.map((colour, label) => (!chosen.size || chosen.has(label) ? channels(colour) : line));
  return {
    fill: Uint32Array.from(shown, packed),
    hatch: Uint32Array.from(shown, (colour) => packed(mixed(colour, card, 0.6))),
    border: Uint32Array.from(shown, (colour) => packed(mixed(colour, edge, 0.65))),
    plain: shown.map((colour) => `rgb(${colour})`),
    ink: shown.map((colour) => (luminance(colour) > 0.18 ? "#000" : "#fff")),
    grid: packed(line),
    rule: `rgb(${line})`,
    pen: style.getPropertyValue("--ink"),
    gap: { ground: `rgb(${card})`, line: `rgb(${line})`, ink: style.getPropertyValue("--faint") },
  };
}

function channels(colour) {
  const digits = colour.trim().slice(1);
  const wide = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  return [0, 2, 4].map((at) => parseInt(wide.slice(at, at + 2), 16));
}

function mixed(colour, other, share) {
  return colour.map((value, channel) => Math.round(value + (other[channel] - value) * share));
}

function luminance(colour) {
  const [red, green, blue] = colour.map((value) => ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** As ImageData holds it on every machine that has a browser: little-endian. */
function packed([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Calls a function whenever colours change: in the dark, and, which it is told, for paper. */
function whenLookChanges(redraw) {
  const print = (printing) => {
    document.documentElement.classList.toggle("printing", printing);
    redraw(printing);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(false));
  matchMedia("print").addEventListener("change", ({ matches }) => print(matches));
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
}

/**
 * Paints a canvas.
 *
 * @param column called with each column's place, 0 to 1 from its left to its right edge, and an array that it
 *   fills with the share of each label, from the bottom; returns whether the column is to be hatched.
 * @param kind of picture: "lane" has a grid and lines between labels that follow each other, "stack" a grid alone,
 *   "strip" lines alone.
 * @returns spans of one label, as [label, left, right], and how high each column is painted; in canvas pixels.
 */
function paintStacks(canvas, look, column, kind) {
  const grid = kind !== "strip", lines = kind !== "stack";
  const scale = devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * scale));
  const height = Math.max(1, Math.round(canvas.clientHeight * scale));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const thick = Math.max(1, Math.round(scale)), gridRow = Math.round(height * GRID_AT);
  const shares = new Float32Array(look.fill.length), spans = [], heights = new Uint16Array(width);
  let before = -1, beforeTop = height;
  for (let x = 0; x < width; x++) {
    shares.fill(0);
    const hatched = column(x / width, (x + 1) / width, shares);
    let filled = 0, bottom = height, alone = -1, labels = 0;
    for (let label = 0; label < shares.length; label++) {
      if (!shares[label]) continue;
      filled += shares[label];
      const top = Math.max(0, Math.round(height * (1 - filled)));
      const edge = bottom - top >= EDGE_FROM_PX * scale ? top + thick : top;
      for (let y = top; y < bottom; y++) {
        const stripe = hatched && (x + y) % (HATCH_PX * thick) < HATCHED_PX * thick;
        pixels[y * width + x] = y < edge ? look.border[label] : stripe ? look.hatch[label] : look.fill[label];
      }
      bottom = top;
      alone = label;
      labels++;
    }
    const only = labels === 1 ? alone : labels ? -2 : -1;
    if (only !== before) {
      // A line between neighbours, on the side that is painted.
      const label = only >= 0 ? only : before, at = only >= 0 ? x : x - 1;
      if (lines && label >= 0) for (let y = only >= 0 ? bottom : beforeTop; y < height; y++) pixels[y * width + at] = look.border[label];
      if (only >= 0) spans.push([only, x, x]);
      before = only;
    }
    if (only >= 0) spans.at(-1)[2] = x + 1;
    heights[x] = height - bottom;
    beforeTop = bottom;
    if (grid && bottom > gridRow) for (let y = gridRow; y < gridRow + thick; y++) pixels[y * width + x] = look.grid;
    else if (grid && labels && x % (6 * thick) < 2 * thick) pixels[gridRow * width + x] = look.border[alone];
  }
  context.putImageData(image, 0, 0);
  return { spans, heights };
}

/** Writes the labels' names where they fit: no value is told by colour alone. */
function nameSpans(canvas, look, names, { spans, heights }) {
  const scale = devicePixelRatio || 1, context = canvas.getContext("2d");
  context.font = `${NAME_PX * scale}px system-ui, sans-serif`;
  context.lineWidth = 3 * scale;
  context.lineJoin = "round";
  const margin = 5 * scale;
  for (const [label, left, right] of spans) {
    const room = right - left - 2 * margin;
    if (room < NAME_PX * scale) continue;
    const name = [names[label], names[label].slice(0, 3)].find((text) => context.measureText(text).width <= room);
    if (!name) continue;
    const at = firstHighEnough(heights, left, right, context.measureText(name).width + 2 * margin, 1.5 * NAME_PX * scale);
    if (at === null) continue;
    context.strokeStyle = look.plain[label];
    context.strokeText(name, at + margin, canvas.height - margin);
    context.fillStyle = look.ink[label];
    context.fillText(name, at + margin, canvas.height - margin);
  }
}

/**
 * Paints times without pictures over what is there, and names them where there is room.
 *
 * @param gaps each from where to where, 0 to 1 from the left to the right edge, and its name.
 */
function paintGaps(canvas, look, gaps) {
  const scale = devicePixelRatio || 1, context = canvas.getContext("2d"), { width, height } = canvas;
  for (const [from, until, name] of gaps) {
    const left = Math.max(0, Math.floor(from * width)), right = Math.min(width, Math.ceil(until * width));
    if (right <= left) continue;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    context.fillStyle = look.gap.ground;
    context.fillRect(left, 0, right - left, height);
    context.strokeStyle = look.gap.line;
    context.lineWidth = scale;
    context.beginPath();
    const step = GAP_LINES_PX * scale;
    for (let x = left - height - ((left - height) % step); x < right; x += step) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.font = `${NAME_PX * scale}px system-ui, sans-serif`;
    const margin = 4 * scale, high = 1.5 * NAME_PX * scale;
    const text = [name, "gap"].find((one) => context.measureText(one).width + 4 * margin <= right - left);
    if (text) {
      const wide = context.measureText(text).width;
      const at = (left + right - wide) / 2;
      context.fillStyle = look.gap.ground;
      context.fillRect(at - margin, (height - high) / 2, wide + 2 * margin, high);
      context.fillStyle = look.gap.ink;
      context.textBaseline = "middle";
      context.fillText(text, at, height / 2);
    }
    context.restore();
  }
}

/** What a time without pictures is called. */
function nameOfGap(from_s, until_s) {
  const lasts_s = until_s - from_s;
  return `gap, ${lasts_s < 60 ? `${lasts_s.toFixed(lasts_s < 10 ? 1 : 0)} s` : clock(lasts_s, Infinity)}`;
}

/** The first place between two where so many columns in a row have a height; null if there is none. */
function firstHighEnough(heights, left, right, columns, height) {
  let from = left;
  for (let x = left; x < right; x++) {
    if (heights[x] < height) from = x + 1;
    else if (x + 1 - from >= columns) return from;
  }
  return null;
}

/** Paints a strip, see pipeline/results/strip.py: the label of each part, or "-". */
function paintStrip(canvas, look, strip) {
  paintStacks(canvas, look, (left, right, shares) => {
    const label = strip[Math.floor(((left + right) / 2) * strip.length)];
    if (label !== undefined && label !== "-") shares[Number(label)] = 1;
    return false;
  }, "strip");
}
