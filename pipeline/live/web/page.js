"use strict";

const FIGURES_MS = 1000, WALL = "#wall", LEAST_TILE_PX = 150, TILE_SHAPE = 16 / 9;
const streams = new Map();
let emotions = [], colours = [], look = null;

const onWall = () => location.hash === WALL;

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const stream = streams.get(target.dataset.name);
    if (isIntersecting) visible.add(stream);
    else visible.delete(stream);
  }
}, { rootMargin: "10%" });

function show(answer) {
  if (!emotions.length) {
    ({ emotions, colours } = answer);
    look = lookOf(colours);
    showLegend();
  }
  for (const status of answer.streams) {
    if (!streams.has(status.name)) add(new Stream(status.name));
    streams.get(status.name).show(status);
  }
  const live = answer.streams.filter((status) => status.state === "live").length;
  say(`${live} of ${answer.streams.length} live`);
}

function add(stream) {
  streams.set(stream.name, stream);
  stream.element.dataset.name = stream.name;
  document.querySelector("#streams").append(stream.element);
  seen.observe(stream.element);
  arrange();
}

function say(text) {
  const overall = document.querySelector("#overall");
  if (overall.textContent !== text) overall.textContent = text;
}

function showLegend() {
  document.querySelector("#legend").replaceChildren(...emotions.map((emotion, index) => {
    const item = Object.assign(document.createElement("li"), { className: "patch", textContent: emotion });
    item.style.setProperty("--colour", colours[index]);
    return item;
  }));
}

/** Cards with all there is, or a wall of pictures, as large as the window allows for all of them at once. */
function arrange() {
  document.body.classList.toggle("wall", onWall());
  document.querySelector("#as-wall").setAttribute("aria-pressed", onWall());
  const main = document.querySelector("#streams"), { width, top } = main.getBoundingClientRect();
  const high = innerHeight - (top + scrollY), most = Math.max(1, Math.floor(width / LEAST_TILE_PX));
  const tile = (columns) => Math.min(width / columns, high / Math.ceil(streams.size / columns) * TILE_SHAPE);
  let best = 1;
  for (let columns = 2; columns <= Math.min(most, streams.size); columns++) {
    if (tile(columns) > tile(best)) best = columns;
  }
  main.style.setProperty("--columns", best);
}

async function watch() {
  for (;;) {
    try {
      if (!document.hidden) show(await askFor("api/streams"));
      await pause(FIGURES_MS);
    } catch {
      say("the program does not answer; it may have ended");
      await pause(RETRY_MS);
    }
  }
}

document.querySelector("#as-wall").addEventListener("click", () => {
  location.hash = onWall() ? "" : WALL;
});
addEventListener("hashchange", arrange);
addEventListener("resize", arrange);
whenLookChanges(() => {
  if (!emotions.length) return;
  look = lookOf(colours);
  for (const stream of streams.values()) stream.people.draw();
});
watch();
