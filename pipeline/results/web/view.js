"use strict";

const FRAME_PX = 8, PAGE_AHEAD = 0.08, TAP_PX = 8, WHEEL_PAUSE_MS = 300;

/** The part of a timeline that is shown. */
class View {
  /** @param shortest_s called for the least length of the part. */
  constructor(begin_s, end_s, shortest_s, changed) {
    Object.assign(this, { begin_s, end_s, shortest_s, changed, from_s: begin_s, until_s: end_s });
  }

  get length_s() { return this.end_s - this.begin_s; }

  get span_s() { return this.until_s - this.from_s; }
  get whole() { return this.span_s >= this.length_s * (1 - 1e-9); }

  show(from_s, until_s) {
    const least_s = Math.min(this.length_s, this.shortest_s());
    const span_s = Math.min(Math.max(until_s - from_s, least_s), this.length_s);
    const first_s = Math.min(Math.max(from_s, this.begin_s), this.end_s - span_s);
    if (first_s === this.from_s && span_s === this.span_s) return false;
    [this.from_s, this.until_s] = [first_s, first_s + span_s];
    this.changed();
    return true;
  }

  /** Makes the part shorter by a factor; a time stays where it is. Returns whether anything changed. */
  zoom(factor, at_s) {
    const least_s = Math.min(this.length_s, this.shortest_s());
    const span_s = Math.min(Math.max(this.span_s / factor, least_s), this.length_s);
    const from_s = at_s - (at_s - this.from_s) * (span_s / this.span_s);
    return this.show(from_s, from_s + span_s);
  }

  pan(by_s) { return this.show(this.from_s + by_s, this.until_s + by_s); }

  /** Turns the page if a time is outside. */
  contain(at_s) {
    if (at_s >= this.from_s && at_s <= this.until_s) return;
    const from_s = at_s - PAGE_AHEAD * this.span_s;
    this.show(from_s, from_s + this.span_s);
  }

  showAll() { return this.show(this.begin_s, this.end_s); }

  inside(at_s) { return Math.min(Math.max(at_s, this.begin_s), this.end_s); }

  /** The place of a time in the whole timeline, 0 to 1. */
  overall(at_s) { return (at_s - this.begin_s) / this.length_s; }

  /** The place of a time in the part, 0 to 1 if it is inside. */
  place(at_s) { return (at_s - this.from_s) / this.span_s; }
}

/**
 * What mouse, touch and wheel do on a timeline: a click or tap seeks, a mouse that is dragged as well; a finger pans,
 * two zoom; the wheel zooms, or pans sideways.
 *
 * @param within whether an event is on the timeline itself.
 * @param timeAt the time at a place of the screen.
 */
function listen(area, view, { within, timeAt, seek, scrubs }) {
  const fingers = new Map();
  let start = null, last = null, wheeledElsewhere = -Infinity;

  area.addEventListener("pointerdown", (event) => {
    if (!within(event) || event.button) return;
    if (event.pointerType === "mouse") {
      area.setPointerCapture(event.pointerId);
      start = { mouse: true };
      seek(timeAt(event.clientX));
      return;
    }
    fingers.set(event.pointerId, event);
    start = fingers.size === 1 ? { x: event.clientX, y: event.clientY, moved: false, scrubs: scrubs(event) } : { moved: true };
    last = event.clientX;
  });
  area.addEventListener("pointermove", (event) => {
    if (start?.mouse) seek(timeAt(event.clientX));
    if (!fingers.has(event.pointerId)) return;
    if (fingers.size === 2) pinch(event);
    else if (fingers.size === 1) drag(event);
    fingers.set(event.pointerId, event);
  });
  area.addEventListener("pointerup", (event) => {
    if (start?.mouse) seek(timeAt(event.clientX));
    if (fingers.has(event.pointerId) && fingers.size === 1 && !start.moved) seek(timeAt(event.clientX));
    end(event);
  });
  area.addEventListener("pointercancel", end);

  function end(event) {
    fingers.delete(event.pointerId);
    start = fingers.size ? { moved: true } : null;
  }

  function drag(event) {
    const [x, y] = [Math.abs(event.clientX - start.x), Math.abs(event.clientY - start.y)];
    if (!start.moved && Math.hypot(x, y) > TAP_PX) Object.assign(start, { moved: true, sideways: x > y });
    if (!start.sideways) return;
    if (start.scrubs) seek(timeAt(event.clientX));
    else view.pan(timeAt(last) - timeAt(event.clientX));
    last = event.clientX;
  }

  function pinch(event) {
    const [still] = [...fingers.values()].filter((finger) => finger.pointerId !== event.pointerId);
    const before = fingers.get(event.pointerId);
    const gap = (finger) => Math.max(TAP_PX, Math.abs(finger.clientX - still.clientX));
    view.zoom(gap(event) / gap(before), timeAt((event.clientX + still.clientX) / 2));
  }

  area.addEventListener("wheel", (event) => {
    if (!within(event)) return;
    // A wheel that scrolls the page goes on doing so when the timeline comes under it.
    if (!event.ctrlKey && event.timeStamp - wheeledElsewhere < WHEEL_PAUSE_MS) return;
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const unit = event.deltaMode ? 30 : 1;
    const changed = sideways
      ? view.pan((event.deltaX || event.deltaY) * unit * (timeAt(1) - timeAt(0)))
      : view.zoom(Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.003)), timeAt(event.clientX));
    if (changed || sideways || event.ctrlKey) event.preventDefault();
    if (changed) event.taken = true;
  }, { passive: false });
  addEventListener("wheel", (event) => { if (!event.taken) wheeledElsewhere = event.timeStamp; }, { passive: true });
}

/** The brush on an overview strip: draws a new part, moves it, or moves one of its ends. */
function brush(strip, view) {
  const handle = strip.querySelector(".brush");
  const timeAt = (x) => {
    const box = strip.getBoundingClientRect();
    return Math.min(Math.max((x - box.left) / box.width, 0), 1) * view.length_s + view.begin_s;
  };
  let held = null;
  strip.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const at_s = timeAt(event.clientX);
    const inside = !view.whole && at_s > view.from_s && at_s < view.until_s;
    const part = event.target.className;
    held = { at_s, from_s: view.from_s, until_s: view.until_s, part: ["from", "until"].includes(part) ? part : inside ? "all" : "new" };
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener("pointermove", move);
  function move(event) {
    if (!held) return;
    const at_s = timeAt(event.clientX), by_s = at_s - held.at_s;
    held.moved ||= Math.abs(by_s) / view.length_s * strip.clientWidth > TAP_PX / 2;
    if (!held.moved) return;
    if (held.part === "all") view.show(held.from_s + by_s, held.until_s + by_s);
    else if (held.part === "new") view.show(Math.min(held.at_s, at_s), Math.max(held.at_s, at_s));
    else {
      const other_s = held.part === "from" ? held.until_s : held.from_s;
      view.show(Math.min(other_s, at_s), Math.max(other_s, at_s));
    }
  }
  strip.addEventListener("pointerup", (event) => {
    move(event);
    const at_s = timeAt(event.clientX);
    if (held && !held.moved && held.part === "new") view.show(at_s - view.span_s / 2, at_s + view.span_s / 2);
    held = null;
  });
  strip.addEventListener("pointercancel", () => { held = null; });
  return () => {
    handle.style.left = `${100 * view.overall(view.from_s)}%`;
    handle.style.right = `${100 * (1 - view.overall(view.until_s))}%`;
  };
}
