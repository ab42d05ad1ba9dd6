// The suite's processor, in a process that says so when it has stood still: a worker that was not let run can keep no time.
import handler from "../integration/suite/handler.mjs";

const lookEveryMs = 50;
/** Less is every process's lot. */
const tellFromMs = 50;

export default (context) => {
  let lookedAtMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    const ms = nowMs - lookedAtMs - lookEveryMs;
    lookedAtMs = nowMs;
    if (ms >= tellFromMs) context.logger.info({ ms }, "stood still");
  }, lookEveryMs).unref();
  return handler(context);
};
