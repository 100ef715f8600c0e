"use strict";
// Ties the film to its timeline. Without it, or without a film, the page can still be read.
const data = JSON.parse(document.getElementById("data").textContent);
const lanes = document.querySelector(".lanes");
const video = document.querySelector("video");
const MOST_ZOOM = 16;
let at_s = 0;
let zoom = 1;

function segmentAt(segments, time_s) {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle][0] <= time_s) low = middle + 1;
    else high = middle;
  }
  const found = segments[low - 1];
  return found && time_s < found[1] ? found : null;
}

function show(time_s) {
  at_s = Math.min(Math.max(time_s, 0), data.length_s);
  lanes.style.setProperty("--at", data.length_s ? at_s / data.length_s : 0);
  lanes.setAttribute("aria-valuenow", at_s.toFixed(2));
  const words = [];
  document.querySelectorAll(".lane").forEach((lane, number) => {
    const person = data.people[number];
    const found = segmentAt(person.segments, at_s);
    const text = found ? `${data.labels[found[2]]} ${Math.round(found[3] * 100)}%` : "not seen";
    lane.querySelector(".now").textContent = text;
    if (found) words.push(`${person.name} ${text}`);
  });
  lanes.setAttribute("aria-valuetext", [clock(at_s, data.length_s), ...words.slice(0, 4)].join(", "));
}

function seek(time_s) {
  show(time_s);
  if (video) video.currentTime = data.film_starts_s + at_s;
}

function timeUnder(event) {
  const box = document.querySelector(".axis").getBoundingClientRect();
  return (event.clientX - box.left) / box.width * data.length_s;
}

function setZoom(wanted) {
  zoom = Math.min(Math.max(wanted, 1), MOST_ZOOM);
  lanes.style.setProperty("--zoom", zoom);
  const scroll = lanes.parentElement;
  scroll.scrollLeft = at_s / data.length_s * scroll.scrollWidth - scroll.clientWidth / 2;
}

function keyed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("summary, a") && (event.key === " " || event.key === "Enter")) return;
  if (event.target === video && event.key !== "," && event.key !== ".") return;
  const actions = {
    " ": () => video && (video.paused ? video.play() : video.pause()),
    ArrowLeft: () => seek(at_s - (event.shiftKey ? 10 : 1)),
    ArrowRight: () => seek(at_s + (event.shiftKey ? 10 : 1)),
    ",": () => seek(at_s - data.frame_s),
    ".": () => seek(at_s + data.frame_s),
    Home: () => seek(0),
    End: () => seek(data.length_s),
    "+": () => setZoom(zoom * 2),
    "-": () => setZoom(zoom / 2),
  };
  if (!(event.key in actions) || (event.key === " " && event.target.closest("button"))) return;
  event.preventDefault();
  actions[event.key]();
}

function follow() {
  show(video.currentTime - data.film_starts_s);
  if (!video.paused) requestAnimationFrame(follow);
}

if (lanes) {
  let dragging = false;
  lanes.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".who")) return;
    dragging = event.pointerType === "mouse";
    seek(timeUnder(event));
  });
  addEventListener("pointermove", (event) => dragging && seek(timeUnder(event)));
  addEventListener("pointerup", () => { dragging = false; });
  document.addEventListener("keydown", keyed);
  document.querySelector(".closer").addEventListener("click", () => setZoom(zoom * 2));
  document.querySelector(".wider").addEventListener("click", () => setZoom(zoom / 2));
  for (const row of document.querySelectorAll("[data-at]")) {
    row.addEventListener("click", () => seek(Number(row.dataset.at)));
  }
  if (video) {
    video.addEventListener("play", follow);
    for (const name of ["seeked", "timeupdate"]) video.addEventListener(name, () => video.paused && follow());
  }
  show(0);
}
