// Preloaded by scripts/nodes.mjs: what Node warns of ends the process. The AWS SDK's word on Node 20 is no fault of ours.
import process from "node:process";

process.on("warning", (warning) => {
  if (!warning.message.startsWith("NodeVersionSupportWarning:")) throw warning;
});
