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
