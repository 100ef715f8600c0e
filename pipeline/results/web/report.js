"use strict";

const AXIS_TEXT_PX = 90, LISTED = 200, NARROW_MARK_PX = 36, OPEN_AT_FIRST = 2, NO_FRAME = -1;

/** The timeline of a report: its lanes, the part that is shown, and the moment that is looked at. */
class Timeline {
  constructor(root, data, times, portraits) {
    Object.assign(this, { root, data, portraits, chosen: new Set(), asked: [], at_s: data.begin_s, frame: 0, shown: 0 });
    this.find = (selector) => root.querySelector(selector);
    this.frames = new Frames(times, data);
    this.people = data.people.map((facts) => new Person(facts, this.frames, data.row_step));
    this.view = new View(data.begin_s, data.end_s, () => this.axis.clientWidth * data.frame_s / FRAME_PX, () => this.changeView());
    this.axis = this.find(".axis");
    this.playhead = this.find(".playhead");
    this.mark = this.find(".mark");
    this.here = this.find(".here");
    this.addLanes();
    this.showBrush = brush(this.find(".strip"), this.view);
    this.addEvents();
    this.film = filmBeside(data, this.frames, (at_s, frame) => this.show(at_s, frame));
    this.look = lookOf(data.colours);
    if (this.lanes.length <= OPEN_AT_FIRST) for (const lane of this.lanes) lane.unfold(true);
    this.changeView();
    this.show(data.begin_s);
  }

  addLanes() {
    const brief = this.people.filter((person) => person.brief);
    this.lanes = this.people.filter((person) => !person.brief).map((person) => new Lane(person.name, [person], this, this.portraits));
    if (brief.length) this.lanes.push(new Lane(`Briefly seen (${brief.length})`, brief, this, this.portraits));
    this.find(".lanes").append(...this.lanes.map((lane) => lane.element));
    const laneOf = new Map(this.lanes.map((lane) => [lane.element, lane]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const lane = laneOf.get(entry.target);
        lane.visible = entry.isIntersecting;
        if (lane.visible) lane.tell(this.shown);
        if (lane.visible && lane.stale) lane.draw();
      }
    }, { rootMargin: "50%" });
    for (const lane of this.lanes) seen.observe(lane.element);
  }

  addEvents() {
    this.events = this.data.events.map(([name, start_s, end_s]) => {
      const mark = document.createElement("button"), about_s = 0.1 * (end_s - start_s);
      Object.assign(mark, { type: "button", textContent: name, title: `${name}, ${clock(start_s, 1)} to ${clock(end_s, 1)}` });
      mark.addEventListener("click", () => {
        this.seek(start_s);
        this.view.show(start_s - about_s, end_s + about_s);
      });
      return { name, start_s, end_s, mark, now: false };
    });
    this.find(".marks").append(...this.events.map(({ mark }) => mark));
    this.find(".events").hidden = !this.events.length;
  }

  // What is shown.

  /** Looks at a moment: the playhead goes there, and every lane tells what it shows. */
  show(at_s, frame = this.frames.at(at_s)) {
    const inside = this.at_s >= this.view.from_s && this.at_s <= this.view.until_s;
    this.at_s = this.view.inside(at_s);
    // Who looks elsewhere while the film plays is left there.
    if (inside) this.view.contain(this.at_s);
    this.movePlayhead();
    this.frame = frame;
    const shown = this.shownAt(this.at_s, frame);
    if (shown !== this.shown) {
      this.shown = shown;
      for (const lane of this.lanes) if (lane.visible) lane.tell(shown);
    }
    this.markEvents();
    const paused = !this.film || this.film.video.paused;
    if (paused) this.speak();
    const text = clock(this.at_s, this.view.length_s);
    if (text !== this.told) this.find(".clock").textContent = this.told = text;
  }

  /** The frame that is shown at a time; none in a gap of a stream. */
  shownAt(at_s, frame = this.frames.at(at_s)) {
    return this.data.gaps.some(([from_s, until_s]) => at_s > from_s + 1e-3 && at_s < until_s - 1e-3) ? NO_FRAME : frame;
  }

  /** Marks the events that the moment is in. */
  markEvents() {
    for (const event of this.events) {
      const now = this.at_s >= event.start_s && this.at_s < event.end_s;
      if (now !== event.now) event.mark.setAttribute("aria-current", event.now = now);
    }
  }

  movePlayhead() {
    const place = this.view.place(this.at_s);
    this.playhead.hidden = place < 0 || place > 1;
    this.mark.hidden = this.playhead.hidden;
    this.mark.style.transform = this.playhead.style.transform = `translateX(${(place * this.width).toFixed(1)}px)`;
    this.here.style.transform = `translateX(${(this.view.overall(this.at_s) * this.width).toFixed(1)}px)`;
  }

  /** For screen readers, which are not told while the film plays. */
  speak() {
    const words = this.people.map((person) => [person.name, person.shown(this.shown)]).filter(([, shown]) => shown)
      .map(([name, [label, percent]]) => `${name} ${this.data.labels[label]} ${percent}%`);
    const events = this.events.filter(({ now }) => now).map(({ name }) => name);
    this.axis.setAttribute("aria-valuenow", this.at_s.toFixed(2));
    this.axis.setAttribute("aria-valuetext", [clock(this.at_s, this.view.length_s), ...events, ...words.slice(0, SPOKEN_PEOPLE)].join(", "));
  }

  seek(at_s) {
    const inside_s = this.view.inside(at_s);
    this.film?.seek(inside_s);
    this.show(inside_s);
    this.view.contain(this.at_s);
  }

  /** To the middle of a frame some frames on. */
  step(frames) {
    const frame = Math.min(Math.max(this.frame + frames, 0), this.frames.times.length - 1);
    this.seek((this.frames.times[frame] + this.frames.until[frame]) / 2);
  }

  // The part that is shown.

  timeAt(x) {
    const box = this.axis.getBoundingClientRect();
    return this.view.from_s + (x - box.left) / box.width * this.view.span_s;
  }

  zoom(factor) {
    const { from_s, until_s } = this.view;
    const at_s = this.at_s >= from_s && this.at_s <= until_s ? this.at_s : (from_s + until_s) / 2;
    this.view.zoom(factor, at_s);
  }

  changeView() {
    this.drawing ??= requestAnimationFrame(() => this.redraw());
  }

  redraw() {
    this.drawing = null;
    this.width = this.axis.clientWidth;
    this.showBrush();
    this.movePlayhead();
    this.showAxis();
    for (const lane of this.lanes) lane.draw();
  }

  showAxis() {
    const { view } = this, whole = this.find(".whole");
    this.axis.replaceChildren(...ticks(view.from_s, view.until_s, this.width / AXIS_TEXT_PX)
      .filter(([at_s]) => view.place(at_s) * this.width < this.width - AXIS_TEXT_PX / 2).map(([at_s, text]) => {
      const tick = document.createElement("span");
      tick.textContent = text;
      tick.style.left = `${100 * view.place(at_s)}%`;
      return tick;
    }));
    whole.disabled = view.whole;
    for (const { start_s, end_s, mark } of this.events) {
      const from = Math.max(view.place(start_s), 0), until = Math.min(view.place(end_s), 1);
      mark.hidden = until <= from;
      mark.classList.toggle("narrow", (until - from) * this.width < NARROW_MARK_PX);
      Object.assign(mark.style, { left: `${100 * from}%`, width: `${100 * (until - from)}%` });
    }
  }

  /** Draws everything again, in the colours of the moment. */
  refresh() {
    this.look = lookOf(this.data.colours, this.chosen);
    this.drawOverview();
    this.redraw();
  }

  drawOverview() {
    const canvas = this.find(".overview canvas"), { data } = this;
    const columns = Math.max(1, Math.round(canvas.clientWidth * (devicePixelRatio || 1)));
    const sums = Array.from({ length: columns }, () => new Float32Array(data.labels.length));
    for (const lane of this.lanes) {
      if (lane.element.hidden) continue;
      for (const [start_s, end_s, label] of lane.segments) {
        const start = this.view.overall(start_s) * columns, end = this.view.overall(end_s) * columns;
        for (let x = Math.floor(start); x < Math.min(Math.ceil(end), columns); x++) {
          sums[x][label] += Math.min(end, x + 1) - Math.max(start, x);
        }
      }
    }
    const most = Math.max(1e-9, ...sums.map((column) => column.reduce((sum, value) => sum + value, 0)));
    paintStacks(canvas, this.look, (left, _, shares) => {
      sums[Math.min(Math.round(left * columns), columns - 1)].forEach((sum, label) => { shares[label] = sum / most; });
      return false;
    }, "strip");
    paintGaps(canvas, this.look, data.gaps.map(([from_s, until_s]) =>
      [this.view.overall(from_s), this.view.overall(until_s), nameOfGap(from_s, until_s)]));
  }

  // Filters.

  /** Whether a person is asked for: by number, or by a part of the name. */
  wants(person) {
    return !this.asked.length || this.asked.some((word) =>
      (/^\d+$/.test(word) ? person.track === Number(word) : person.name.toLowerCase().includes(word)));
  }

  filter() {
    let left = 0;
    for (const lane of this.lanes) {
      lane.element.hidden = !(lane.members.some((person) => this.wants(person)) && lane.shows(this.chosen));
      left += !lane.element.hidden;
    }
    this.find(".none").hidden = left > 0;
    this.refresh();
  }

  /** The segments that pass the filters, by time. */
  filteredSegments() {
    return this.people.filter((person) => this.wants(person))
      .flatMap((person) => person.segments.map((segment) => [person, ...segment]))
      .filter(([, , , label]) => !this.chosen.size || this.chosen.has(label))
      .sort((one, other) => one[1] - other[1] || one[0].track - other[0].track);
  }
}

/** The film beside the report; null if there is none. */
function filmBeside(data, frames, showing) {
  if (!data.films.length) return null;
  const missing = document.querySelector(".film .missing");
  const say = (why) => { if (missing.textContent !== why) missing.textContent = why; };
  return new Film(document.querySelector("video"), data.films, frames, showing, say);
}

function listenToTimeline(timeline) {
  const rows = timeline.find(".rows");
  listen(rows, timeline.view, {
    within: (event) => event.target.closest(".axis") || event.target.matches(".lane canvas"),
    scrubs: (event) => Boolean(event.target.closest(".axis")),
    timeAt: (x) => timeline.timeAt(x),
    seek: (at_s) => timeline.seek(at_s),
  });
  const laneAt = ({ clientX, clientY }) => {
    const found = document.elementFromPoint(clientX, clientY);
    return found?.matches("canvas") && timeline.lanes.find((lane) => lane.element.contains(found));
  };
  rows.addEventListener("dblclick", (event) => {
    const lane = laneAt(event);
    lane?.unfold(!lane.open);
  });
  rows.addEventListener("pointermove", (event) => {
    const lane = event.pointerType === "mouse" && laneAt(event);
    if (!lane) return;
    const at_s = timeline.timeAt(event.clientX), frame = timeline.shownAt(at_s);
    const told = lane.members.map((person) => [person.name, person.shown(frame)]).filter(([, shown]) => shown)
      .map(([name, [label, percent]]) => `${name} ${timeline.data.labels[label]} ${percent}%`);
    timeline.find(".hint").textContent = [clock(at_s, 1), ...(told.length ? told : ["not seen"])].join(" · ");
  });
  timeline.find(".closer").addEventListener("click", () => timeline.zoom(2));
  timeline.find(".wider").addEventListener("click", () => timeline.zoom(0.5));
  timeline.find(".whole").addEventListener("click", () => timeline.view.showAll());
  new ResizeObserver(() => timeline.refresh()).observe(timeline.axis);
  whenLookChanges((printing) => {
    // Paper shows what the screen does not.
    if (printing) for (const lane of timeline.lanes) lane.visible = true;
    timeline.refresh();
  });
}

function listenToKeys(timeline) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.target.closest("summary, a, button") && (event.key === " " || event.key === "Enter")) return;
    const seconds = event.shiftKey ? 10 : 1;
    const actions = {
      " ": () => timeline.film?.toggle(),
      ArrowLeft: () => timeline.seek(timeline.at_s - seconds),
      ArrowRight: () => timeline.seek(timeline.at_s + seconds),
      ",": () => timeline.step(-1),
      ".": () => timeline.step(1),
      Home: () => timeline.seek(timeline.data.begin_s),
      End: () => timeline.seek(timeline.data.end_s),
      "+": () => timeline.zoom(2),
      "=": () => timeline.zoom(2),
      "-": () => timeline.zoom(0.5),
      0: () => timeline.view.showAll(),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    // The film's own keys mean other steps.
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
  }, true);
}

function listenToFilters(timeline, list) {
  for (const button of timeline.root.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const label = Number(button.dataset.label), pressed = !timeline.chosen.delete(label);
      if (pressed) timeline.chosen.add(label);
      button.setAttribute("aria-pressed", pressed);
      timeline.filter();
      list.refresh();
    });
  }
  timeline.find(".people-filter").addEventListener("input", (event) => {
    timeline.asked = event.target.value.toLowerCase().split(/[,;]/).map((word) => word.trim().replace(/^person (?=\d+$)/, "")).filter(Boolean);
    timeline.filter();
    list.refresh();
  });
}

/** The list of segments, made when it is opened. */
class SegmentList {
  constructor(details, timeline) {
    Object.assign(this, { details, timeline });
    details.addEventListener("toggle", () => this.refresh());
    details.querySelector(".more").addEventListener("click", () => this.add());
  }

  refresh() {
    if (!this.details.open) return;
    this.left = this.timeline.filteredSegments();
    this.details.querySelector("tbody").replaceChildren();
    this.add();
  }

  add() {
    const body = this.details.querySelector("tbody"), { labels } = this.timeline.data;
    for (const [person, start_s, end_s, label, confidence] of this.left.splice(0, LISTED)) {
      const row = body.insertRow(), at = document.createElement("button");
      Object.assign(at, { type: "button", className: "at", textContent: clock(start_s, 1) });
      at.dataset.at = start_s;
      row.insertCell().textContent = person.name;
      Object.assign(row.insertCell(), { className: `patch ${labels[label]}`, textContent: labels[label] });
      row.insertCell().append(at);
      Object.assign(row.insertCell(), { className: "number", textContent: `${(end_s - start_s).toFixed(1)} s` });
      Object.assign(row.insertCell(), { className: "number", textContent: `${Math.round(100 * confidence)}%` });
    }
    this.details.querySelector(".more").hidden = !this.left.length;
  }
}

function showFaces(data, portraits) {
  document.body.classList.toggle("faceless", !Object.keys(portraits).length);
  for (const item of document.querySelectorAll(".people [data-track]")) {
    showFace(item.querySelector(".face"), portraits[item.dataset.track]);
  }
  const brief = document.querySelector(".people .faces");
  for (const person of brief ? data.people.filter((one) => one.brief && portraits[one.track]) : []) {
    const place = Object.assign(document.createElement("span"), { className: "face", title: person.name });
    showFace(place, portraits[person.track]);
    brief.append(place);
  }
}

async function main() {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data"), portraits = read("portraits");
  if (data.end_s === data.begin_s) {
    // A film of a single frame has no duration.
    data.end_s = data.begin_s + data.frame_s;
    for (const person of data.people) for (const segment of person.segments) segment[1] = data.end_s;
  }
  const times = await unpack(document.getElementById("rows").textContent, data);
  if (!data.people.length) {
    filmBeside(data, new Frames(times, data), () => {});
    return;
  }
  showFaces(data, portraits);
  const timeline = new Timeline(document.querySelector(".timeline"), data, times, portraits);
  listenToTimeline(timeline);
  listenToKeys(timeline);
  listenToFilters(timeline, new SegmentList(document.querySelector("details.segments"), timeline));
  document.addEventListener("click", (event) => {
    const at = event.target.closest("button[data-at]");
    if (at) timeline.seek(Number(at.dataset.at));
  });
  document.documentElement.dataset.ready = "true";
  window.timeline = timeline; // For consoles, and tests.
}

main();
