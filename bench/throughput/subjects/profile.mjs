import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

const samplingMicroseconds = 500;

/** Where the time goes from one moment to another: V8's samples of this process, as a `.cpuprofile`. */
export class Profile {
  #session = new Session();
  #file;
  #started;

  constructor(file) {
    this.#file = file;
    this.#session.connect();
  }

  start() {
    this.#started = this.#session
      .post("Profiler.enable")
      .then(() => this.#session.post("Profiler.setSamplingInterval", { interval: samplingMicroseconds }))
      .then(() => this.#session.post("Profiler.start"));
  }

  async stop() {
    await this.#started;
    const { profile } = await this.#session.post("Profiler.stop");
    writeFileSync(this.#file, JSON.stringify(profile));
    this.#session.disconnect();
  }
}
