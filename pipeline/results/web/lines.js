"use strict";
// What networks give beyond the seven expressions: a line each below a person's lane, in reports and on the live page.

const LINE_PX = 1.5, PALE = 0.35, MARGIN_SHARE = 0.08;

/** One output of one person. */
class Line {
  /** @param output has name, low, high and unit; @param who the person's name. */
  constructor(output, who) {
    Object.assign(this, { output, text: null, name: document.createElement("p"), canvas: document.createElement("canvas") });
    const { name, low, high, unit } = output;
    this.digits = Math.max(0, 2 - Math.floor(Math.log10(high - low)));
    this.name.className = "line-name small";
    this.name.title = `${name}: ${unit}`;
    this.name.append(Object.assign(document.createElement("span"), { textContent: name }), document.createElement("b"));
    this.canvas.className = "line";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${name} of ${who}, ${unit}`);
  }

  get elements() { return [this.name, this.canvas]; }

  /** Says a value; null for none. */
  tell(value) {
    const text = value === null ? "" : value.toFixed(this.digits);
    if (text !== this.text) this.name.lastElementChild.textContent = this.text = text;
  }

  /**
   * @param column called with each column's place, 0 to 1 from its left to its right edge; returns the values in it, and
   *   whether most of them are not to be relied on: [values, low].
   */
  draw(look, column) {
    const { canvas } = this, { low, high } = this.output, scale = devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(canvas.clientHeight * scale));
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d"), margin = height * MARGIN_SHARE;
    const at = (value) => height - margin - (value - low) / (high - low) * (height - 2 * margin);
    context.strokeStyle = look.rule;
    context.beginPath();
    for (const value of new Set([low, high, Math.min(Math.max(0, low), high)])) {
      context.moveTo(0, Math.round(at(value)) + 0.5);
      context.lineTo(width, Math.round(at(value)) + 0.5);
    }
    context.stroke();
    const relied = new Path2D(), other = new Path2D();
    let before = null;
    for (let x = 0; x < width; x++) {
      const [values, isLow] = column(x / width, (x + 1) / width), found = span(values);
      if (found) {
        const path = isLow ? other : relied;
        // From the column before, and over all values in this one.
        path.moveTo(x - (before === null ? 0 : 1), at(before ?? found.mean));
        path.lineTo(x, at(found.mean));
        path.moveTo(x, at(found.least));
        path.lineTo(x, at(found.most) - 0.5);
      }
      before = found && found.mean;
    }
    context.strokeStyle = look.pen;
    context.lineWidth = LINE_PX * scale;
    context.stroke(relied);
    context.globalAlpha = PALE;
    context.stroke(other);
  }
}

/** The least, the mean and the largest of some values; null without any. */
function span(values) {
  let least = Infinity, most = -Infinity, sum = 0, count = 0;
  for (const value of values) {
    if (value === null) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value;
    count++;
  }
  return count ? { least, mean: sum / count, most } : null;
}
