"use strict";
// Rows of the timeline, as pipeline/results/packed.py packs them.

const LOW = 8;

/** Unpacks the rows into the people of the data: frames, outputs, labels and percents; returns the frames' times. */
async function unpack(text, data) {
  const bytes = await inflated(text);
  const times = new Float64Array(bytes.buffer, 0, data.frames);
  for (let frame = 1; frame < times.length; frame++) times[frame] += times[frame - 1];
  for (let frame = 0; frame < times.length; frame++) times[frame] /= 1e6;
  let at = 8 * data.frames;
  for (const person of data.people) {
    person.frames = summed(new Int32Array(bytes.buffer, at, person.rows));
    at += 4 * person.rows;
  }
  for (const person of data.people) {
    person.outputs = data.outputs.map(() => {
      const steps = summed(new Int16Array(bytes.buffer, at, person.rows));
      at += 2 * person.rows;
      return steps;
    });
  }
  for (const person of data.people) {
    const columns = Array.from({ length: 8 }, (_, column) =>
      summed(bytes.subarray(at + column * person.rows, at + (column + 1) * person.rows)));
    at += 8 * person.rows;
    person.labels = columns[0];
    person.percents = columns.slice(1);
  }
  return times;
}

async function inflated(text) {
  const packed = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function summed(values) {
  for (let row = 1; row < values.length; row++) values[row] += values[row - 1];
  return values;
}

/** How many of the sorted values are at most this. */
function countUpTo(values, value) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The frames of a video: when each is shown, and until when. */
class Frames {
  constructor(times, data) {
    this.times = times;
    this.until = new Float64Array(times.length);
    this.until.set(times.subarray(1));
    this.until[times.length - 1] = data.end_s;
    for (const [from_s] of data.gaps) this.until[countUpTo(times, from_s - 1e-9) - 1] = from_s;
  }

  /** The frame that is shown at a time. */
  at(time_s) {
    return Math.max(0, countUpTo(this.times, time_s + 1e-6) - 1);
  }

  /** The frame whose time is nearest to one. */
  nearest(time_s) {
    const frame = this.at(time_s), next = Math.min(frame + 1, this.times.length - 1);
    return this.times[next] - time_s < time_s - this.times[frame] ? next : frame;
  }
}

/** One person's rows and segments. */
class Person {
  constructor(facts, frames, step) {
    Object.assign(this, { step, of: frames }, facts);
    this.starts = Float64Array.from(this.segments, (segment) => segment[0]);
  }

  /** The row of a frame; -1 where the person is not seen. */
  row(frame) {
    const row = countUpTo(this.frames, frame) - 1;
    return row >= 0 && this.frames[row] + this.step > frame ? row : -1;
  }

  /** The likeliest expression of a frame: [label, percent], as in the film; null where nobody is seen. */
  shown(frame) {
    const row = this.row(frame);
    if (row < 0) return null;
    const label = this.labels[row] % LOW;
    return [label, this.percents[label][row]];
  }

  /** Until when a row counts. */
  rowUntil(row) {
    const next = row + 1 < this.frames.length ? this.of.times[this.frames[row + 1]] : Infinity;
    return Math.min(next, this.of.until[Math.min(this.frames[row] + this.step, this.of.until.length) - 1]);
  }

  /** The first row that is shown after a time, or at it. */
  firstRow(time_s) {
    const row = countUpTo(this.frames, this.of.at(time_s)) - 1;
    return row >= 0 && this.rowUntil(row) > time_s ? row : row + 1;
  }
}
