"use strict";
// Recordings that have ended: their report, and their files to download.

/** Shows the recordings of a stream, the newest first. */
async function showRecordings(streamName, details) {
  const { recordings } = await askFor(path(streamName, "recordings"));
  details.hidden = !recordings.length;
  details.querySelector("summary").textContent = recordings.length === 1 ? "1 recording" : `${recordings.length} recordings`;
  details.querySelector("ul").replaceChildren(...recordings.map((recording) => recordingItem(streamName, recording)));
}

function recordingItem(streamName, recording) {
  const item = document.querySelector("#recording").content.cloneNode(true).firstElementChild;
  const find = (selector) => item.querySelector(selector), { duration_s, people } = recording;
  const link = (file, text) => fileLink(`recordings/${[streamName, recording.name, file].map(encodeURIComponent).join("/")}`, file, text);
  find("b").textContent = recording.started_at ? new Date(recording.started_at).toLocaleString() : recording.name;
  find(".status").textContent = recording.status;
  find(".status").classList.add(recording.status);
  find(".facts").textContent = `${clock(duration_s, duration_s)}, ${people === 1 ? "1 person" : `${people} people`}`;
  find(".reason-of").textContent = recording.reason ?? "";
  const begins_s = new Map(recording.pieces.map((piece) => [piece.name, piece.from_s]));
  const links = recording.files.filter((file) => file.endsWith(".html")).map((file) => link(file, "Report"));
  for (const file of recording.files.filter((name) => !name.endsWith(".html"))) {
    links.push(link(file, begins_s.has(file) ? `film from ${clock(begins_s.get(file), Infinity)}` : file));
  }
  find(".files").append(...links.flatMap((one) => [one, " "]));
  return item;
}

function fileLink(address, file, text) {
  const link = Object.assign(document.createElement("a"), { href: address, textContent: text });
  if (file.endsWith(".html")) Object.assign(link, { target: "_blank", rel: "noopener" });
  else link.download = file;
  return link;
}
