"use strict";

/** Ties the film to the timeline: what it shows, and what it is to show. */
class Film {
  /** @param showing called with the time and the frame that the film shows. */
  constructor(video, frames, starts_s, showing) {
    Object.assign(this, { video, frames, starts_s, showing, asked_s: null, target_s: null, frame: null });
    video.addEventListener("play", () => { this.asked_s = null; this.follow(); });
    video.addEventListener("seeking", () => {
      // By the film's own buttons. A player goes no further than the last frame.
      const target_s = Math.min(this.target_s, video.duration);
      if (Math.abs(video.currentTime - target_s) > 1e-3) this.forget(null);
    });
    video.addEventListener("seeked", () => this.tell());
    this.watch();
  }

  get time_s() { return this.video.currentTime - this.starts_s; }

  /** The browser tells which frame it shows; where it does not, the time does. */
  watch() {
    this.video.requestVideoFrameCallback?.((_, { mediaTime }) => {
      this.frame = this.frames.nearest(mediaTime - this.starts_s);
      // It may still be the frame of an earlier wish.
      if (!this.video.seeking) this.tell();
      this.watch();
    });
  }

  /** Tells what is shown while the film stands. */
  tell() {
    if (this.video.paused) this.showing(this.asked_s ?? this.time_s, this.frame ?? undefined);
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
    this.forget(this.video.paused ? time_s : null);
    this.target_s = this.starts_s + Math.max(time_s, inside_s);
    this.video.currentTime = this.target_s;
  }

  forget(asked_s) {
    this.asked_s = asked_s;
    this.frame = null;
  }

  toggle() {
    if (this.video.paused) this.video.play();
    else this.video.pause();
  }
}
