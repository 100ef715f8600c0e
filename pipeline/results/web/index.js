"use strict";

const AT_ONCE = 60;

/** The list of videos: sorted, searched, filtered, and made as far down as it is scrolled. */
class VideoList {
  constructor(data) {
    Object.assign(this, { data, key: "status", down: false, word: "", statuses: new Set(), shown: 0 });
    this.look = lookOf(data.colours);
    this.body = document.querySelector("tbody");
    const end = new IntersectionObserver(([entry]) => entry.isIntersecting && this.add(), { rootMargin: "600px" });
    end.observe(document.querySelector(".end"));
    this.refresh();
  }

  value(video) {
    const rank = this.data.order.indexOf(video.status);
    return { name: 0, status: rank, length_s: video.length_s ?? -1, people: video.people ?? -1, timeline: mood(video) }[this.key];
  }

  refresh() {
    const { word, statuses } = this, sign = this.down ? -1 : 1;
    const names = new Intl.Collator(undefined, { numeric: true });
    this.found = this.data.videos
      .filter((video) => !statuses.size || statuses.has(video.status))
      .filter((video) => !word || [video.name, video.reason, ...video.names ?? []].join(" ").toLowerCase().includes(word))
      .map((video) => [this.value(video), video])
      .sort(([a, one], [b, other]) => sign * (a - b || (this.key === "name" ? names.compare(one.name, other.name) : 0)) ||
        names.compare(one.name, other.name))
      .map(([, video]) => video);
    this.shown = 0;
    this.body.replaceChildren();
    this.add();
    this.tell();
  }

  add() {
    const rows = this.found.slice(this.shown, this.shown + AT_ONCE).map((video) => row(video));
    this.shown += rows.length;
    this.body.append(...rows);
    rows.forEach((made, number) => this.draw(made, this.found[this.shown - rows.length + number]));
  }

  addAll() {
    while (this.shown < this.found.length) this.add();
  }

  draw(made, video) {
    const canvas = made.querySelector("canvas");
    if (!canvas.hidden) paintStrip(canvas, this.look, video.strip);
  }

  redraw() {
    this.look = lookOf(this.data.colours);
    [...this.body.children].forEach((made, number) => this.draw(made, this.found[number]));
  }

  tell() {
    const sum = (what) => this.found.reduce((total, video) => total + (video[what] ?? 0), 0);
    const number = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
    const filtered = this.found.length < this.data.videos.length ? ` of ${this.data.videos.length.toLocaleString("en")}` : "";
    const statuses = this.data.order.map((status) => [status, this.found.filter((video) => video.status === status).length]);
    document.querySelector(".facts").textContent = [
      `${this.found.length.toLocaleString("en")}${filtered} ${this.data.videos.length === 1 ? "video" : "videos"}`,
      ...statuses.filter(([, count]) => count).map(([status, count]) => `${count.toLocaleString("en")} ${status}`),
      `${clock(sum("length_s"), Infinity)} in all`, number(sum("people"), "person", "people"),
    ].join(", ");
    document.querySelector(".none").hidden = this.found.length > 0;
    for (const head of document.querySelectorAll("thead th:not(.picture)")) {
      if (head.classList.contains(this.key)) head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }
}

/** From -1 to 1: happy less the unpleasant expressions; -2 where nobody is seen. */
function mood({ shares }) {
  if (!shares?.length) return -2;
  const [angry, disgust, fear, happy, , sad] = shares;
  return happy - angry - disgust - fear - sad;
}

function row(video) {
  const made = document.querySelector("#row").content.cloneNode(true).firstElementChild;
  const find = (selector) => made.querySelector(selector);
  const link = find("a");
  link.textContent = video.name;
  if (video.report) link.href = video.report;
  find(".reason").textContent = video.reason ?? "";
  Object.assign(find("td.status"), { textContent: video.status, className: `status ${video.status}` });
  if (video.still) Object.assign(find("img"), { src: video.still, hidden: false });
  if (video.length_s === undefined) return made;
  find(".length_s").textContent = clock(video.length_s, video.length_s);
  find(".who").textContent = video.names.join(", ");
  find(".people").textContent = video.people;
  find(".people").dataset.unit = video.people === 1 ? "\u00a0person" : "\u00a0people";
  const words = inWords(video.shares);
  find(".words").textContent = words;
  find("canvas").hidden = !video.strip;
  find("canvas").setAttribute("aria-label", `Timeline: ${words || "nobody is seen"}`);
  return made;
}

function inWords(shares) {
  return shares.map((share, label) => [list.data.labels[label], share]).sort((one, other) => other[1] - one[1])
    .slice(0, 3).filter(([, share]) => share >= 0.005)
    .map(([label, share]) => `${label} ${Math.round(100 * share)}%`).join(", ");
}

let list;

function main() {
  const data = JSON.parse(document.getElementById("data").textContent);
  list = { data }; // Rows are made while the list is.
  list = new VideoList(data);
  for (const button of document.querySelectorAll("[data-status]")) {
    const { status } = button.dataset;
    const count = data.videos.filter((video) => video.status === status).length;
    button.hidden = !count;
    button.querySelector(".count").textContent = count.toLocaleString("en");
    button.addEventListener("click", () => {
      const pressed = !list.statuses.delete(status);
      if (pressed) list.statuses.add(status);
      button.setAttribute("aria-pressed", pressed);
      list.refresh();
    });
  }
  for (const button of document.querySelectorAll("thead button")) {
    button.addEventListener("click", () => {
      const { key } = button.dataset;
      list.down = key === list.key ? !list.down : key === "length_s" || key === "people";
      list.key = key;
      list.refresh();
    });
  }
  document.querySelector(".search").addEventListener("input", (event) => {
    list.word = event.target.value.trim().toLowerCase();
    list.refresh();
  });
  new ResizeObserver(() => list.redraw()).observe(document.querySelector("main"));
  whenLookChanges((printing) => {
    if (printing) list.addAll();
    list.redraw();
  });
}

main();
