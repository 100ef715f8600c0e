"use strict";

const MOST_AT_ONCE = 4, PATIENCE_MS = 10_000;
const waiting = [];
let underWay = 0;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const path = (name, what) => `api/streams/${encodeURIComponent(name)}/${what}`;

/** Asks for something when it is its turn: however many streams there are, few requests are under way. */
async function ask(address, read) {
  if (underWay < MOST_AT_ONCE) underWay++;
  else await new Promise((go) => waiting.push(go));
  try {
    return await read(await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) }));
  } finally {
    const next = waiting.shift();
    if (next) next();
    else underWay--;
  }
}

/** The answer as JSON; an error if there is none. */
function askFor(address) {
  return ask(address, (answer) => {
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return answer.json();
  });
}
