"use strict";

const PICTURE_MS = 120, PICTURES_PER_S = 25, POINTS_MS = 400, RETRY_MS = 2000;
const WIDTH_STEP_PX = 160, SHARPEST = 2;

/** How many streams can be seen; and so how often each is asked for its picture. */
const visible = new Set();
const pace = () => Math.max(PICTURE_MS, 1000 * visible.size / PICTURES_PER_S);

/** One stream: its picture, people, figures and recordings. */
class Stream {
  constructor(name) {
    Object.assign(this, { name, status: {}, asked_ms: 0 });
    this.element = document.querySelector("#stream").content.cloneNode(true).firstElementChild;
    this.find = (selector) => this.element.querySelector(selector);
    this.element.setAttribute("aria-label", name);
    this.find("h2").textContent = name;
    this.find("img").alt = `Newest picture of ${name}`;
    this.find(".change").addEventListener("click", () => this.change());
    this.people = new People(name, this.find(".timeline"));
    this.watch();
  }

  get ended() { return this.status.state === "ended"; }

  async change() {
    const button = this.find(".change");
    button.disabled = true;
    const options = { method: "POST", headers: { "x-emotion-timelines": "1" } };
    await fetch(path(this.name, this.ended ? "start" : "stop"), options).catch(() => {});
    button.disabled = false;
  }

  show(status) {
    const before = this.status;
    this.status = status;
    if (status.time_s < (before.time_s ?? 0)) this.people.clear();
    this.people.step_s = Math.max(1, 2 / (status.frames_per_s || 1));
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
    this.find(".change").textContent = this.ended ? "Start" : "Stop";
    this.find(".change").setAttribute("aria-label", `${this.ended ? "Start" : "Stop"} ${this.name}`);
    if (status.recordings !== (before.recordings ?? 0)) this.showRecordings();
  }

  /** Those that ended while somebody looks are what is looked for. */
  showRecordings() {
    const details = this.find(".recordings");
    if (this.ended) details.open = true;
    showRecordings(this.name, details).catch(() => { this.status = {}; });
  }

  /** Fetches pictures and people one after the other for as long as they can be seen. */
  async watch() {
    for (;;) {
      await pause(pace());
      const { state } = this.status;
      if (document.hidden || !visible.has(this) || !["live", "reconnecting"].includes(state)) continue;
      try {
        if (state === "live") await this.fetchPicture();
        if (!onWall() && performance.now() - this.asked_ms >= POINTS_MS) await this.fetchPeople();
      } catch {
        await pause(RETRY_MS);
      }
    }
  }

  async fetchPicture() {
    const sharp = Math.min(devicePixelRatio || 1, SHARPEST), image = this.find("img");
    const width = Math.max(1, Math.ceil(image.clientWidth * sharp / WIDTH_STEP_PX)) * WIDTH_STEP_PX;
    const jpeg = await ask(path(this.name, `picture?width=${width}`), (answer) => answer.status === 200 && answer.blob());
    if (!jpeg) return;
    const previous = image.src;
    image.src = URL.createObjectURL(jpeg);
    if (previous) URL.revokeObjectURL(previous);
  }

  async fetchPeople() {
    this.asked_ms = performance.now();
    const recent = await askFor(path(this.name, `recent?since_s=${this.people.last_s}`));
    if (!recent.points) return;
    this.people.take(recent);
    this.people.draw();
  }
}

function latency(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
