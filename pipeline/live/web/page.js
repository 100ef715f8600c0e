"use strict";

const WINDOW_S = 60, AWAY_S = 2, MOST_PEOPLE = 4, PICTURE_MS = 120, FIGURES_MS = 1000, RETRY_MS = 2000;
const cards = new Map();
let emotions = [], colours = [];

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const path = (name, what) => `api/streams/${encodeURIComponent(name)}/${what}`;

function latency(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

class Card {
  constructor(name) {
    this.name = name;
    this.points = [];
    this.status = {};
    this.element = document.querySelector("#stream").content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.element.querySelector(selector);
    this.find(".name").textContent = name;
    this.find("img").alt = `Newest picture of ${name}`;
    this.find("button").addEventListener("click", () => this.toggle());
    document.querySelector("#streams").append(this.element);
    this.people = new Map();
    this.watch();
  }

  get running() { return this.status.state !== "ended"; }

  async toggle() {
    const change = this.running ? "stop" : "start";
    this.find("button").disabled = true;
    await fetch(path(this.name, change), { method: "POST", headers: { "x-emotion-timelines": "1" } });
    this.find("button").disabled = false;
  }

  show(status) {
    if (status.time_s < (this.status.time_s ?? 0)) this.points = [];
    this.status = status;
    this.element.dataset.state = status.state;
    this.find(".state").textContent = status.state;
    this.find(".reason").textContent = status.reason ?? "";
    this.find(".frames_per_s").textContent = status.frames_per_s.toFixed(1);
    this.find(".latency").textContent = latency(status.latency_p95_ms);
    this.find(".time").textContent = clock(status.time_s, Infinity);
    for (const figure of ["dropped", "lost"]) {
      this.find(`.${figure}`).textContent = status[figure];
      this.find(`.${figure}`).classList.toggle("some", status[figure] > 0);
    }
    this.find("button").textContent = this.running ? "Stop" : "Start";
  }

  /** Fetches pictures and points one after the other for as long as they can be seen. */
  async watch() {
    for (;;) {
      await pause(PICTURE_MS);
      if (document.hidden || this.status.state !== "live") continue;
      try {
        await this.fetchPicture();
        await this.fetchPoints();
        this.draw();
      } catch {
        await pause(RETRY_MS);
      }
    }
  }

  async fetchPicture() {
    const answer = await fetch(path(this.name, "picture"));
    if (answer.status !== 200) return;
    const image = this.find("img"), previous = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    if (previous) URL.revokeObjectURL(previous);
  }

  async fetchPoints() {
    const last = this.points.at(-1)?.time_s ?? -1;
    const answer = await fetch(path(this.name, `recent?since_s=${last}`));
    if (!answer.ok) return;
    this.points.push(...(await answer.json()).points);
    const now = this.points.at(-1)?.time_s ?? 0;
    this.points = this.points.filter((point) => point.time_s > now - WINDOW_S);
  }

  draw() {
    const now = Math.max(this.status.time_s, this.points.at(-1)?.time_s ?? 0);
    const tracks = new Map();
    for (const point of this.points) {
      if (!tracks.has(point.track)) tracks.set(point.track, []);
      tracks.get(point.track).push(point);
    }
    const latest = [...tracks].sort((a, b) => b[1].at(-1).time_s - a[1].at(-1).time_s);
    const shown = new Map(latest.slice(0, MOST_PEOPLE).sort((a, b) => a[0] - b[0]));
    for (const [track, figure] of this.people) {
      if (!shown.has(track)) {
        figure.remove();
        this.people.delete(track);
      }
    }
    for (const [track, points] of shown) {
      if (!this.people.has(track)) {
        const figure = document.querySelector("#person").content.cloneNode(true).firstElementChild;
        figure.querySelector(".number").textContent = `Person ${track}`;
        this.find(".people").append(figure);
        this.people.set(track, figure);
      }
      drawPerson(this.people.get(track), points, now);
    }
  }
}

/** The last minute of one person: the seven probabilities stacked, time from left to right. */
function drawPerson(figure, points, now) {
  const canvas = figure.querySelector("canvas"), context = canvas.getContext("2d");
  const scale = devicePixelRatio, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  context.scale(scale, scale);
  const x = (time) => width * (1 - (now - time) / WINDOW_S);
  points.forEach((point, index) => {
    const next = points[index + 1]?.time_s ?? point.time_s + 0.2;
    const left = x(point.time_s), right = x(Math.min(next, point.time_s + 1));
    let top = height;
    point.probabilities.forEach((probability, emotion) => {
      const tall = probability * height;
      context.fillStyle = colours[emotion];
      context.fillRect(left, top - tall, right - left + 0.5, tall);
      top -= tall;
    });
  });
  const { probabilities, time_s: seen } = points.at(-1);
  const likeliest = probabilities.indexOf(Math.max(...probabilities));
  const share = Math.round(100 * probabilities[likeliest]);
  const text = now - seen > AWAY_S ? "not in the picture" : `${emotions[likeliest]} ${share}%`;
  figure.querySelector(".emotion").textContent = text;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Last minute; now ${text}`);
}

function showLegend() {
  const items = emotions.map((emotion, index) => {
    const item = document.createElement("li");
    item.textContent = emotion;
    item.style.setProperty("--colour", colours[index]);
    return item;
  });
  document.querySelector("#legend").replaceChildren(...items);
}

async function showFigures() {
  const overall = document.querySelector("#overall");
  for (;;) {
    try {
      const answer = await (await fetch("api/streams")).json();
      if (!emotions.length) {
        ({ emotions, colours } = answer);
        showLegend();
      }
      for (const status of answer.streams) {
        if (!cards.has(status.name)) cards.set(status.name, new Card(status.name));
        cards.get(status.name).show(status);
      }
      const live = answer.streams.filter((status) => status.state === "live").length;
      overall.textContent = `${live} of ${answer.streams.length} live`;
      await pause(FIGURES_MS);
    } catch {
      overall.textContent = "the program does not answer; it may have ended";
      await pause(RETRY_MS);
    }
  }
}

showFigures();
