"use strict";
// A lane of the timeline: one person, or all who are briefly seen.

const NARROW_PX = 2, SPOKEN_PEOPLE = 4;

class Lane {
  /** @param timeline has data, frames and view. */
  constructor(name, members, timeline, portraits) {
    Object.assign(this, { name, members, timeline, open: false, visible: false, stale: true, text: null, lines: null });
    this.element = document.querySelector("#lane").content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.element.querySelector(selector);
    this.canvas = this.find("canvas");
    this.element.setAttribute("aria-label", name);
    this.find("b").textContent = name;
    this.segments = members.flatMap((person) => person.segments);
    if (this.pooled) this.segments.sort((one, other) => one[0] - other[0]);
    showFace(this.find(".face"), portraits[members[0].track]);
    this.element.classList.toggle("pooled", this.pooled);
    this.find(".name").disabled = this.pooled;
    this.find(".name").addEventListener("click", () => this.unfold(!this.open));
    this.canvas.setAttribute("aria-label", `Expressions of ${name}: ${this.inWords()}`);
  }

  get pooled() { return this.members.length > 1; }

  /** The largest shares of the time. */
  inWords() {
    const { labels } = this.timeline.data, lasts_s = labels.map(() => 0);
    for (const [start_s, end_s, label] of this.segments) lasts_s[label] += end_s - start_s;
    const total_s = lasts_s.reduce((sum, value) => sum + value, 0) || 1;
    const ranked = labels.map((label, index) => [label, lasts_s[index] / total_s]).sort((a, b) => b[1] - a[1]);
    return ranked.slice(0, 3).filter(([, share]) => share >= 0.005)
      .map(([label, share]) => `${label} ${Math.round(100 * share)}%`).join(", ");
  }

  unfold(open) {
    if (this.pooled) return;
    this.open = open;
    this.element.classList.toggle("open", open);
    this.find(".name").setAttribute("aria-expanded", open);
    const values = this.find(".values"), { labels } = this.timeline.data;
    values.hidden = !open;
    if (!values.childElementCount) {
      for (const label of labels.slice(0, -1)) {
        const item = document.createElement("li"), name = document.createElement("span");
        name.className = `patch ${label}`;
        name.textContent = label;
        item.append(name, document.createElement("b"));
        values.prepend(item); // As they are stacked: the first one is at the bottom.
      }
    }
    this.showLines();
    this.text = null;
    this.tell(this.timeline.shown);
    this.draw();
  }

  showLines() {
    const [person] = this.members;
    if (this.open && !this.lines) {
      this.lines = person.outputs.map((_, index) => new Line(person, this.timeline, index));
      this.element.append(...this.lines.flatMap((line) => [line.name, line.canvas]));
    }
    for (const line of this.lines ?? []) line.name.hidden = line.canvas.hidden = !this.open;
  }

  /** Draws it now if it can be seen, or once it can. */
  draw() {
    this.stale = true;
    if (!this.visible || this.element.hidden) return;
    this.stale = false;
    const { look, data, view } = this.timeline;
    if (this.open) paintStacks(this.canvas, look, this.probabilities(), "stack");
    else nameSpans(this.canvas, look, data.labels, paintStacks(this.canvas, look, this.expressions(), "lane"));
    const gaps = data.gaps.map(([from_s, until_s]) =>
      [view.place(from_s), view.place(until_s), nameOfGap(from_s, until_s)]);
    paintGaps(this.canvas, look, gaps);
    if (this.open) for (const line of this.lines) line.draw();
  }

  /** Columns of the likeliest expressions, as high as they are likely; short ones are stacked, each by its share of the time. */
  expressions() {
    const { view } = this.timeline, segments = this.segments, unclear = this.timeline.data.labels.length - 1;
    const narrow_s = NARROW_PX * view.span_s / this.canvas.clientWidth;
    const rows = this.pooled ? null : new Rows(this.members[0]);
    let first = 0;
    return (left, right, shares) => {
      const from_s = view.from_s + left * view.span_s, until_s = view.from_s + right * view.span_s;
      while (first < segments.length && segments[first][1] <= from_s) first++;
      let longest = null, longest_s = 0, narrow = this.pooled, total = 0;
      for (let at = first; at < segments.length && segments[at][0] < until_s; at++) {
        const segment = segments[at];
        const lasts_s = Math.min(segment[1], until_s) - Math.max(segment[0], from_s);
        if (lasts_s <= 0) continue;
        narrow ||= segment[1] - segment[0] < narrow_s;
        const share = segment[3] * lasts_s / (until_s - from_s);
        shares[segment[2]] += share;
        total += share;
        if (lasts_s > longest_s) [longest, longest_s] = [segment, lasts_s];
      }
      if (!longest) return false;
      if (narrow) {
        if (total > 1) shares.forEach((share, label) => { shares[label] = share / total; });
        return rows !== null && rows.lowBetween(from_s, until_s);
      }
      const label = longest[2];
      shares.fill(0);
      const low = rows.lowBetween(Math.max(from_s, longest[0]), Math.min(until_s, longest[1]));
      shares[label] = rows.count ? rows.mean(label === unclear ? null : label) : longest[3];
      return low || label === unclear;
    };
  }

  /** Columns of all seven probabilities. */
  probabilities() {
    const { view } = this.timeline, rows = new Rows(this.members[0]);
    return (left, right, shares) => {
      const low = rows.lowBetween(view.from_s + left * view.span_s, view.from_s + right * view.span_s);
      if (rows.count) rows.person.percents.forEach((_, label) => { shares[label] = rows.mean(label); });
      return low;
    };
  }

  /** Says what is shown in a frame. */
  tell(frame) {
    const { labels } = this.timeline.data;
    const seen = this.members.map((person) => person.shown(frame) && [person, ...person.shown(frame)]).filter(Boolean);
    const text = seen.map(([person, label, percent]) =>
      `${this.pooled ? `${person.name}: ` : ""}${labels[label]} ${percent}%`).join(", ") || "not seen";
    if (this.open) this.tellValues(frame);
    if (text === this.text) return;
    this.text = text;
    this.find(".now").textContent = text;
  }

  tellValues(frame) {
    const [person] = this.members, row = person.row(frame);
    const values = this.find(".values").children, last = person.percents.length - 1;
    person.percents.forEach((column, label) => {
      const text = row < 0 ? "" : `${column[row]}%`;
      const place = values[last - label].lastElementChild;
      if (place.textContent !== text) place.textContent = text;
    });
    for (const line of this.lines) line.tell(row);
  }

  shows(chosen) { return !chosen.size || this.segments.some((segment) => chosen.has(segment[2])); }
}

/** Shows a face, given as Base64 of a JPEG file, if there is one. */
function showFace(place, jpeg) {
  if (jpeg) place.style.backgroundImage = `url(data:image/jpeg;base64,${jpeg})`;
}

/** The rows of a person between two times, which only move on. */
class Rows {
  constructor(person) {
    Object.assign(this, { person, first: -1, count: 0 });
  }

  /** Finds the rows; returns whether most of them are not to be relied on. */
  lowBetween(from_s, until_s) {
    const { frames, labels, of } = this.person, { times } = of;
    if (this.first < 0) this.first = this.person.firstRow(from_s);
    while (this.first + 1 < frames.length && times[frames[this.first + 1]] <= from_s) this.first++;
    while (this.first < frames.length && this.person.rowUntil(this.first) <= from_s) this.first++;
    let end = this.first, low = 0;
    for (; end < frames.length && times[frames[end]] < until_s; end++) low += labels[end] >= LOW;
    this.count = end - this.first;
    return 2 * low > this.count;
  }

  /** The mean probability of an expression in them, 0 to 1; of none, that of whichever is the likeliest. */
  mean(label) {
    const { percents, labels } = this.person;
    let sum = 0;
    for (let row = this.first; row < this.first + this.count; row++) sum += percents[label ?? labels[row] % LOW][row];
    return sum / (100 * this.count);
  }
}
