"use strict";

/** A time on a timeline that ends at end_s, as pipeline/results/clock.py writes it. */
function clock(at_s, end_s) {
  const parts = end_s < 10 ? 10 : 1;
  const units = Math.floor(Math.max(at_s, 0) * parts + 0.5);
  const [minutes, rest] = [Math.floor(units / (60 * parts)), units % (60 * parts)];
  const two = (number) => String(number).padStart(2, "0");
  const seconds = two(Math.floor(rest / parts)) + (parts > 1 ? `.${rest % parts}` : "");
  return minutes < 60 ? `${minutes}:${seconds}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${seconds}`;
}

const TICK_STEPS_S = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 864000,
];

/** Round times of an axis, as [seconds, text], of which at most so many fit. */
function ticks(from_s, until_s, most) {
  const longest_s = TICK_STEPS_S.at(-1);
  const step_s = TICK_STEPS_S.find((step) => (until_s - from_s) / step <= most) ?? longest_s;
  const found = [];
  for (let number = Math.ceil(from_s / step_s - 1e-9); number * step_s <= until_s; number++) {
    found.push([number * step_s, clock(number * step_s, step_s < 1 ? 1 : Infinity)]);
  }
  return found;
}
