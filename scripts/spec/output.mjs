// Reads what TLC prints with `-tool`: messages between two marks, each with the number of its kind.

const start = /^@!@!@STARTMSG (\d+):\d+ @!@!@$/;
const end = /^@!@!@ENDMSG \d+ @!@!@$/;

const kinds = {
  completed: 2193,
  counts: 2199,
  coverageBegins: 2201,
  action: 2772,
  temporal: 2116,
  traceState: 2217,
  traceStutters: 2218,
  traceLoops: 2122,
};

/** The messages of an output, in order; lines that stand outside of any are left out. */
function messagesIn(output) {
  const messages = [];
  let open;
  for (const line of output.split("\n")) {
    const begin = start.exec(line);
    if (begin) open = { kind: Number(begin[1]), lines: [] };
    else if (end.test(line) && open) {
      messages.push({ kind: open.kind, text: open.lines.join("\n") });
      open = undefined;
    } else open?.lines.push(line);
  }
  return messages;
}

/** Every way in which TLC names what was broken. A temporal property it does not name. */
const broken = [/^Invariant (\S+) is violated/, /^Action property (\S+) is violated/];

/**
 * @param {string} output of one run
 * @param {string[]} properties the temporal properties that it checked
 * @returns {{ completed: boolean, states: number, violated: string | undefined, actions: number, neverEnabled: string[], trace: string }}
 * `violated` is what was broken, by its name; `actions`: of how many the coverage tells
 */
export function readOutput(output, properties) {
  const messages = messagesIn(output);
  const texts = (kind) => messages.filter((one) => one.kind === kind).map((one) => one.text);
  const counts = /(\d+) distinct states found/.exec(texts(kinds.counts).at(-1) ?? "");
  const named = messages.flatMap(({ text }) => broken.map((way) => way.exec(text)?.[1]).filter(Boolean));
  const temporal = texts(kinds.temporal).length > 0 ? properties.join(" or ") : undefined;
  const taken = takenIn(messages);
  const steps = [kinds.traceState, kinds.traceStutters, kinds.traceLoops];
  return {
    completed: texts(kinds.completed).length > 0,
    states: Number(counts?.[1] ?? 0),
    violated: named[0] ?? temporal,
    actions: taken.size,
    neverEnabled: [...taken].filter(([, times]) => times === 0).map(([name]) => name),
    trace: messages
      .filter(({ kind }) => steps.includes(kind))
      .map(({ text }) => text)
      .join("\n"),
  };
}

/** How often each action of the last coverage report was taken, which is not how often it was tried. */
function takenIn(messages) {
  const last = messages.findLastIndex(({ kind }) => kind === kinds.coverageBegins);
  const taken = new Map();
  for (const { kind, text } of messages.slice(last + 1)) {
    const action = kind === kinds.action ? /^<(\S+) .*>: \d+:(\d+)$/.exec(text) : undefined;
    // An action may stand in the next-state relation more than once.
    if (action) taken.set(action[1], (taken.get(action[1]) ?? 0) + Number(action[2]));
  }
  return taken;
}
