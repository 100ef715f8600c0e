"use strict";

/** Ties the film to the timeline: what it shows, and what it is to show. */
class Film {
  /** @param showing called with the time and the frame that the film shows. */
  constructor(video, frames, starts_s, showing) {
    Object.assign(this, { video, frames, starts_s, showing, frame: null, asked_s: null });
    video.addEventListener("play", () => { this.asked_s = null; this.follow(); });
    video.addEventListener("seeked", () => { if (this.asked_s === null) this.showing(this.time_s); });
    this.watch();
  }

  get time_s() { return this.video.currentTime - this.starts_s; }

  /** The browser tells which frame it shows; without that, the time does. */
  watch() {
    this.video.requestVideoFrameCallback?.((_, { mediaTime }) => {
      // Otherwise it may be a frame of an earlier wish.
      if (!this.video.seeking) {
        this.frame = this.frames.nearest(mediaTime - this.starts_s);
        if (this.video.paused) this.showing(this.asked_s ?? this.frames.times[this.frame], this.frame);
      }
      this.watch();
    });
  }

  follow() {
    if (this.video.paused) return;
    this.showing(this.time_s, this.frame ?? undefined);
    requestAnimationFrame(() => this.follow());
  }

  /** Goes to the frame that is shown at a time. */
  seek(time_s) {
    const frame = this.frames.at(time_s), { times, until } = this.frames;
    // Not at its very beginning, where rounding might show the one before.
    const inside_s = Math.min(times[frame] + 1e-3, (times[frame] + until[frame]) / 2);
    this.asked_s = this.video.paused ? time_s : null;
    this.frame = null;
    this.video.currentTime = this.starts_s + Math.max(time_s, inside_s);
  }

  toggle() {
    if (this.video.paused) this.video.play();
    else this.video.pause();
  }
}
