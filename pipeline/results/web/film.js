"use strict";

const FILM_SLACK_S = 0.25;

/** Ties the film to the timeline: what it shows, and what it is to show. That of a live stream is in pieces. */
class Film {
  /**
   * @param pieces by time: each with its file (src), the time at which it begins (from_s), and what makes of a time that
   *   of the file, when added to it (offset_s).
   * @param showing called with the time and the frame that the film shows.
   * @param say called with why there is no film of a moment; with nothing if there is.
   */
  constructor(video, pieces, frames, showing, say) {
    Object.assign(this, { video, pieces, frames, showing, say, number: 0, playsOn: false, asked_s: null, target_s: null, next_s: null, playsThen: false, frame: null });
    video.addEventListener("play", () => { this.asked_s = null; this.follow(); });
    video.addEventListener("seeking", () => {
      // By the film's own buttons. A player goes no further than the last frame.
      const target_s = Math.min(this.target_s, video.duration);
      if (this.next_s === null && Math.abs(video.currentTime - target_s) > 1e-3) this.forget(null);
    });
    video.addEventListener("loadedmetadata", () => this.tell());
    video.addEventListener("seeked", () => {
      if (this.next_s !== null) {
        this.go(this.next_s);
        return;
      }
      this.tell();
      if (this.playsThen) this.play();
    });
    video.addEventListener("ended", () => this.playNext());
    video.addEventListener("error", () => {
      this.tell();
      if (this.playsOn) this.playNext(); // A film that fails is paused by then.
    });
    this.watch();
  }

  get piece() { return this.pieces[this.number]; }

  get time_s() { return this.video.currentTime - this.piece.offset_s; }

  /** The browser tells which frame it shows; where it does not, the time does. */
  watch() {
    this.video.requestVideoFrameCallback?.((_, { mediaTime }) => {
      this.frame = this.frames.nearest(mediaTime - this.piece.offset_s);
      // It may still be the frame of an earlier wish.
      if (!this.video.seeking) this.tell();
      this.watch();
    });
  }

  /** Tells what is shown while the film stands. */
  tell() {
    if (!this.video.paused) return;
    const time_s = this.asked_s ?? this.time_s, missing = this.missing(time_s);
    this.say(missing);
    this.showing(time_s, missing ? undefined : this.frame ?? undefined);
  }

  follow() {
    if (this.video.paused) return;
    this.say(this.missing(this.time_s));
    this.showing(this.time_s, this.frame ?? undefined);
    requestAnimationFrame(() => this.follow());
  }

  /** Why there is no film of a time, in words; nothing if there is, or may be. */
  missing(time_s) {
    const { src, from_s, offset_s } = this.piece, next = this.pieces[this.number + 1];
    if (this.video.error) return `${src} does not play: it may have been deleted`;
    const end_s = this.video.readyState ? this.video.duration - offset_s : Infinity;
    if (time_s < from_s - FILM_SLACK_S) return `no film before ${clock(from_s, Infinity)}`;
    if (time_s <= end_s + FILM_SLACK_S) return "";
    return `no film from ${clock(end_s, Infinity)}${next ? ` to ${clock(next.from_s, Infinity)}` : ""}`;
  }

  /** Goes to the frame that is shown at a time. */
  seek(time_s) {
    const frame = this.frames.at(time_s), { times, until } = this.frames, playing = !this.video.paused;
    // Not at its very beginning, where rounding might show the one before.
    const inside_s = Math.min(times[frame] + 1e-3, (times[frame] + until[frame]) / 2);
    const number = Math.max(0, this.pieces.findLastIndex((piece) => piece.from_s <= Math.max(time_s, inside_s)));
    if (number !== this.number) this.open(number, playing);
    this.forget(playing ? null : time_s);
    this.target_s = Math.max(0, this.piece.offset_s + Math.max(time_s, inside_s));
    // One wish after the other: browsers get stuck when asked for another moment while they look for one.
    if (this.video.seeking) this.next_s = this.target_s;
    else this.go(this.target_s);
    if (this.video.error) this.tell();
  }

  /** Of a piece that is not loaded yet, where it is to begin. */
  go(time_s) {
    this.next_s = null;
    this.video.currentTime = time_s;
  }

  forget(asked_s) {
    this.asked_s = asked_s;
    this.frame = null;
  }

  /** @param play whether to play it, or else the next one that plays. */
  open(number, play) {
    Object.assign(this, { number, playsOn: play, target_s: 0, next_s: null, playsThen: false });
    this.forget(null);
    this.video.src = this.piece.src;
    if (play) this.play();
  }

  playNext() {
    if (this.number + 1 < this.pieces.length) this.open(this.number + 1, true);
  }

  /** One that does not play is told by an event of its own. */
  play() {
    this.playsThen = this.next_s !== null; // Not from where it still is: at its end, it would stop at once.
    if (!this.playsThen) this.video.play().catch(() => {});
  }

  toggle() {
    if (this.video.error) this.playNext();
    else if (this.playsThen) this.playsThen = false;
    else if (this.video.paused) this.play();
    else this.video.pause();
  }
}
