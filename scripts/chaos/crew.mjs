// The worker processes of a run: some without a supervisor, some under one, and what is done to them.
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { childEnds } from "../../dist/testing/chaos/ends.js";
import { nowMs } from "../host-clock.mjs";
import { isOurs, signal } from "./processes.mjs";
import { Slot } from "./slot.mjs";

const solos = 3;
const supervised = 2;
const supervisorLabel = "pair";
/** Somebody to whom it can happen is found within this: a fleet has five. */
const victimSeconds = 30;
const lookEveryMs = 100;

export class Crew {
  #journals;
  #folder;
  #paused = new Set();
  slots = [];
  /** Every SIGKILL: { pid, at }, `at` read before it was sent. */
  kills = [];
  /** Every SIGSTOP that was followed by a SIGCONT: { pid, from, to }. */
  pauses = [];

  static async of({ rig, folder, packageFolder, application, settings, leaseDurationMs, journals, say }) {
    const crew = new Crew();
    crew.#journals = journals;
    crew.#folder = folder;
    const args = [
      path.join(packageFolder, "dist/cli/main.js"),
      "run",
      ...["--application", application, "--stream", rig.streamName],
      ...["--handler", path.join(import.meta.dirname, "handler.mjs")],
      ...["--lease-duration-ms", String(leaseDurationMs), "--idle-poll-interval-ms", "500"],
      ...["--log-level", "debug", "--json"],
    ];
    const add = async (label, kind, more) => {
      const options = {
        args: [...args, "--label", label, ...more],
        env: { LEASEHOLD_CHAOS: JSON.stringify(settings), NODE_NO_WARNINGS: "1" },
        folder,
        say,
        onKill: (pid) => crew.#killing(pid),
      };
      crew.slots.push(new Slot(label, kind, await rig.way(), options));
    };
    for (let i = 1; i <= solos; i++) await add(`solo-${i}`, "solo", ["--no-supervise"]);
    await add(supervisorLabel, "supervisor", ["--workers", String(supervised)]);
    return crew;
  }

  /** How many workers there are when nobody is missing. */
  get size() {
    return solos + supervised;
  }

  start() {
    for (const slot of this.slots) slot.start();
  }

  /** Those to whom something can be done now: { label, pid, slot, signal }. */
  #candidates(kind) {
    if (kind !== "child") {
      return this.slots
        .filter((slot) => slot.kind === kind && slot.isRunning && !this.#paused.has(slot.pid))
        .map((slot) => ({ label: slot.label, pid: slot.pid, slot, signal: (name) => slot.signal(name) }));
    }
    this.#journals.update();
    const { processes } = this.#journals;
    return Array.from({ length: supervised }, (_, i) => `${supervisorLabel}-${i + 1}`)
      .map((label) => processes.findLast((process) => process.label === label))
      .filter((one) => one !== undefined && !this.#paused.has(one.pid) && isOurs(one.pid, this.#folder))
      .map(({ label, pid }) => ({
        label,
        pid,
        signal: (name) => isOurs(pid, this.#folder) && signal(pid, name),
      }));
  }

  /** The one that the schedule means, or the next to whom it can happen. */
  async #victim({ victim, pick }, others = []) {
    const until = nowMs() + victimSeconds * 1_000;
    for (;;) {
      // While all of a kind are down it waits a little: others are taken only when that does not help.
      const isLate = nowMs() > until;
      for (const kind of isLate ? others : [victim]) {
        const candidates = this.#candidates(kind);
        if (candidates.length > 0) return candidates[pick % candidates.length];
      }
      if (isLate) return undefined;
      await sleep(lookEveryMs);
    }
  }

  /** @param done told when it has happened */
  async kill(act, done) {
    const first = await this.#victim(act, ["solo", "child"]);
    if (first === undefined) return;
    const others = ["solo", "child"]
      .flatMap((kind) => this.#candidates(kind))
      .filter(({ pid }) => pid !== first.pid);
    const victims = [first, ...others.slice(0, act.count - 1)];
    await Promise.all(victims.map((victim) => this.#kill(victim, act.downMs, done)));
  }

  async #kill(victim, downMs, done) {
    victim.slot?.awaitEnd();
    this.#killing(victim.pid);
    // One that is dead already is started again all the same.
    if (victim.signal("SIGKILL")) done(`SIGKILL to ${victim.label}`, "kill");
    await victim.slot?.again(downMs);
  }

  #killing(pid) {
    this.kills.push({ pid, at: nowMs() });
  }

  async pause(act, done) {
    const victim = await this.#victim(act, ["solo", "child"]);
    if (victim === undefined) return;
    this.#paused.add(victim.pid);
    try {
      const from = nowMs();
      if (!victim.signal("SIGSTOP")) return;
      done(`SIGSTOP to ${victim.label} for ${(act.forMs / 1_000).toFixed(1)} s`);
      await sleep(act.forMs);
      if (act.endsBy === "SIGKILL") await this.#kill(victim, 0, done);
      else {
        victim.signal("SIGCONT");
        this.pauses.push({ pid: victim.pid, from, to: nowMs() });
      }
    } finally {
      this.#paused.delete(victim.pid);
    }
  }

  async stop(act, done) {
    const victim = await this.#victim(act, ["solo", "supervisor"]);
    if (victim === undefined) return;
    const { slot } = victim;
    slot.awaitEnd();
    if (victim.signal("SIGTERM")) done(`SIGTERM to ${victim.label}`);
    const again = slot.again(act.downMs);
    if (act.hurryMs !== undefined) {
      await sleep(act.hurryMs);
      // It may have ended by now, and then the next process is none of this act's.
      if (slot.pid === victim.pid) victim.signal("SIGTERM");
    }
    await again;
  }

  /** All in good order, and whoever is left over. @returns who did not end when asked to, now or before, by name and pid */
  async end() {
    await Promise.all(this.slots.map((slot) => slot.stop()));
    const hanging = this.slots.flatMap(({ label, hung }) => hung.map((pid) => `${label} (pid ${pid})`));
    this.#journals.update();
    // Children whose supervisor was killed have left by themselves; one that has not is ended here.
    for (const { label, pid } of this.#journals.processes) {
      if (!isOurs(pid, this.#folder)) continue;
      hanging.push(`${label} (pid ${pid})`);
      this.#killing(pid);
      signal(pid, "SIGKILL");
    }
    return hanging;
  }

  /** When all are gone: who ended although nobody had asked, and which children their supervisor had to kill. */
  ends() {
    const killed = new Set(this.kills.map(({ pid }) => pid));
    const wallAhead = Date.now() - nowMs();
    const children = this.slots
      .filter(({ kind }) => kind === "supervisor")
      .map(({ log }) => {
        const text = readFileSync(log, "utf8");
        return childEnds(
          text,
          (pid) => killed.has(pid),
          (wallMs) => wallMs - wallAhead,
        );
      });
    return {
      ends: [...this.slots.flatMap((slot) => slot.endedByItself), ...children.flatMap(({ ends }) => ends)],
      hanging: children.flatMap(({ hanging }) => hanging),
    };
  }

  /** At once, and without waiting: whatever ends the run, no worker goes on without it. */
  abandon() {
    for (const slot of this.slots) slot.signal("SIGKILL");
    this.#journals.update();
    for (const { pid } of this.#journals.processes) if (isOurs(pid, this.#folder)) signal(pid, "SIGKILL");
  }
}
