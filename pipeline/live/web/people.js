"use strict";
// The last minute of a stream: a lane for each person.

const WINDOW_S = 60, MOST_LANES = 6, AWAY_S = 2, AXIS_TEXT_PX = 70;

/** The people of one stream who were seen lately. */
class People {
  /** @param element shows them. */
  constructor(streamName, element) {
    Object.assign(this, { streamName, element, lanes: new Map(), gaps: [], until_s: 0, last_s: -1, step_s: 1, all: false });
    this.find = (selector) => element.querySelector(selector);
    this.find(".others").addEventListener("click", () => {
      this.all = !this.all;
      this.draw();
    });
  }

  /** Forgets all, as another recording begins. */
  clear() {
    for (const lane of this.lanes.values()) lane.element.remove();
    this.lanes.clear();
    Object.assign(this, { gaps: [], until_s: 0, last_s: -1 });
    this.element.hidden = true;
  }

  /** Takes what came since last_s, as the server sends it. */
  take({ until_s, points, faces, gaps }) {
    Object.assign(this, { until_s, gaps, last_s: points.at(-1)?.time_s ?? this.last_s });
    for (const point of points) {
      if (!this.lanes.has(point.track)) this.lanes.set(point.track, new PersonLane(this.streamName, point.track));
      this.lanes.get(point.track).points.push(point);
    }
    for (const [track, picture] of Object.entries(faces)) this.lanes.get(Number(track))?.showFace(picture);
    for (const [track, lane] of this.lanes) {
      if (this.pictured(lane.seen_s, until_s) < WINDOW_S) {
        lane.forgetBefore(until_s - WINDOW_S);
      } else {
        lane.element.remove();
        this.lanes.delete(track);
      }
    }
  }

  /** How long there were pictures between two times: people stay beyond a gap. */
  pictured(from_s, until_s) {
    const lost = (gap) => Math.max(0, Math.min(gap.to_s ?? until_s, until_s) - Math.max(gap.from_s, from_s));
    return until_s - from_s - this.gaps.reduce((sum, gap) => sum + lost(gap), 0);
  }

  draw() {
    this.element.hidden = !this.lanes.size && !this.gaps.length;
    if (this.element.hidden) return;
    const latest = [...this.lanes.values()].sort((one, other) => other.seen_s - one.seen_s);
    const shown = latest.slice(0, this.all ? Infinity : MOST_LANES).sort((one, other) => one.track - other.track);
    const lanes = this.find(".lanes"), elements = shown.map((lane) => lane.element);
    if (elements.length !== lanes.children.length || elements.some((one, at) => one !== lanes.children[at])) {
      lanes.replaceChildren(...elements);
    }
    const others = this.find(".others"), more = latest.length - MOST_LANES;
    others.hidden = more <= 0;
    others.textContent = this.all ? "fewer people" : `${more} more ${more > 1 ? "people" : "person"}`;
    others.setAttribute("aria-expanded", this.all);
    this.element.classList.toggle("faceless", !latest.some((lane) => lane.picture));
    const from_s = this.until_s - WINDOW_S, place = (time_s) => (time_s - from_s) / WINDOW_S;
    const gaps = this.gaps.map((gap) => [gap, gap.to_s ?? this.until_s]).filter(([, end_s]) => end_s > from_s);
    const painted = gaps.map(([gap, end_s]) => [place(gap.from_s), place(end_s), nameOfGap(gap.from_s, end_s)]);
    for (const lane of shown) lane.draw(from_s, this.until_s, this.step_s, painted);
    this.showAxis(from_s, place);
    this.showGaps(gaps);
  }

  showAxis(from_s, place) {
    const axis = this.find(".axis");
    const shown = ticks(from_s, this.until_s, axis.clientWidth / AXIS_TEXT_PX)
      .filter(([time_s]) => time_s >= 0 && (1 - place(time_s)) * axis.clientWidth > AXIS_TEXT_PX / 2);
    axis.replaceChildren(...shown.map(([time_s, text]) => {
      const tick = document.createElement("span");
      tick.textContent = text;
      tick.style.left = `${100 * place(time_s)}%`;
      return tick;
    }));
  }

  showGaps(gaps) {
    const texts = gaps.map(([gap, end_s]) =>
      `${clock(gap.from_s, Infinity)} ${nameOfGap(gap.from_s, end_s)}${gap.to_s === null ? " so far" : ""}: ${gap.reason}`);
    const list = this.find(".gaps");
    if ([...list.children].map((item) => item.textContent).join() === texts.join()) return;
    list.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  }
}

/** One person: the seven probabilities of the last minute, stacked. */
class PersonLane {
  constructor(streamName, track) {
    Object.assign(this, { streamName, track, points: [], picture: 0 });
    this.element = document.querySelector("#lane").content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.element.querySelector(selector);
    this.element.setAttribute("aria-label", `Person ${track}`);
    this.find("b").textContent = `Person ${track}`;
  }

  get seen_s() { return this.points.at(-1).time_s; }

  forgetBefore(time_s) {
    const last = this.points.length - 1; // Stays, to tell when the person was seen.
    const kept = this.points.findIndex((point, at) => at === last || point.time_s >= time_s);
    if (kept > 0) this.points.splice(0, kept);
  }

  /** @param picture its number: there may be a better one since. */
  showFace(picture) {
    if (picture === this.picture) return;
    this.picture = picture;
    this.find(".face").style.backgroundImage = `url("${path(this.streamName, `faces/${this.track}?picture=${picture}`)}")`;
  }

  /** @param step_s until when a point counts, if none follows. */
  draw(from_s, until_s, step_s, gaps) {
    const canvas = this.find("canvas");
    paintStacks(canvas, look, this.columns(from_s, until_s, step_s), "stack");
    paintGaps(canvas, look, gaps);
    const { probabilities, time_s } = this.points.at(-1);
    const likeliest = probabilities.indexOf(Math.max(...probabilities));
    const here = until_s - time_s <= Math.max(AWAY_S, step_s);
    const text = here ? `${emotions[likeliest]} ${Math.round(100 * probabilities[likeliest])}%` : "not seen";
    const now = this.find(".now");
    if (now.textContent === text) return;
    now.textContent = text;
    canvas.setAttribute("aria-label", `Expressions of person ${this.track} in the last minute; now ${text}`);
  }

  /** For paintStacks: the mean of the points in each column. */
  columns(from_s, until_s, step_s) {
    const { points } = this, span_s = until_s - from_s;
    const end_s = (at) => Math.min(points[at + 1]?.time_s ?? until_s, points[at].time_s + step_s);
    let first = 0;
    return (left, right, shares) => {
      const begins_s = from_s + left * span_s, ends_s = from_s + right * span_s;
      while (first < points.length && end_s(first) <= begins_s) first++;
      let count = 0, low = 0;
      for (let at = first; at < points.length && points[at].time_s < ends_s; at++, count++) {
        points[at].probabilities.forEach((share, label) => { shares[label] += share; });
        low += points[at].low;
      }
      if (count) shares.forEach((sum, label) => { shares[label] = sum / count; });
      return 2 * low > count;
    };
  }
}
