"use strict";
// What networks give beyond the seven expressions: a line each, below a lane that is unfolded.

const STEPS = 10_000, LINE_PX = 1.5, PALE = 0.35, MARGIN_SHARE = 0.08;

/** One output of one person. */
class Line {
  /** @param index of the output in the data. */
  constructor(person, timeline, index) {
    Object.assign(this, { timeline, output: timeline.data.outputs[index], steps: person.outputs[index], person, text: null });
    const cells = document.querySelector("#line").content.cloneNode(true);
    [this.name, this.canvas] = cells.children;
    const { name, low, high, unit } = this.output;
    this.digits = Math.max(0, 2 - Math.floor(Math.log10(high - low)));
    this.name.firstElementChild.textContent = name;
    this.name.title = `${name}: ${unit}`;
    this.canvas.setAttribute("aria-label", `${name} of ${person.name}, ${unit}`);
  }

  /** Says the value of a row; none for -1. */
  tell(row) {
    const { low, high } = this.output, step = row < 0 ? -1 : this.steps[row];
    const text = step < 0 ? "" : (low + (high - low) * step / STEPS).toFixed(this.digits);
    if (text !== this.text) this.name.lastElementChild.textContent = this.text = text;
  }

  draw() {
    const { view, look } = this.timeline, { low, high } = this.output, { canvas } = this;
    const scale = devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(canvas.clientHeight * scale));
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d"), margin = height * MARGIN_SHARE;
    const at = (share) => height - margin - share * (height - 2 * margin);
    context.strokeStyle = look.rule;
    context.beginPath();
    for (const value of new Set([low, high, Math.min(Math.max(0, low), high)])) {
      const y = Math.round(at((value - low) / (high - low))) + 0.5;
      context.moveTo(0, y);
      context.lineTo(width, y);
    }
    context.stroke();
    const rows = new Rows(this.person), usable = new Path2D(), other = new Path2D();
    let before = null;
    for (let x = 0; x < width; x++) {
      const isLow = rows.lowBetween(view.from_s + x / width * view.span_s, view.from_s + (x + 1) / width * view.span_s);
      const found = this.span(rows);
      if (found) {
        const path = isLow ? other : usable;
        // To the last column, and over all values in this one.
        path.moveTo(x - (before === null ? 0 : 1), at(before ?? found.mean));
        path.lineTo(x, at(found.mean));
        path.moveTo(x, at(found.least));
        path.lineTo(x, at(found.most) - 0.5);
      }
      before = found ? found.mean : null;
    }
    context.strokeStyle = look.pen;
    context.lineWidth = LINE_PX * scale;
    context.stroke(usable);
    context.globalAlpha = PALE;
    context.stroke(other);
  }

  /** The least, the mean and the largest of the rows found last, 0 to 1; null without any. */
  span(rows) {
    let least = Infinity, most = -Infinity, sum = 0, count = 0;
    for (let row = rows.first; row < rows.first + rows.count; row++) {
      const step = this.steps[row];
      if (step < 0) continue;
      least = Math.min(least, step);
      most = Math.max(most, step);
      sum += step;
      count++;
    }
    return count ? { least: least / STEPS, mean: sum / count / STEPS, most: most / STEPS } : null;
  }
}
