// Preloaded by scripts/wire.mjs: whoever imports the Kinesis client gets the version in WIRE_SDK_FOLDER.
import { register } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const from = pathToFileURL(path.join(process.env.WIRE_SDK_FOLDER, "package.json")).href;
const hook = `
export const resolve = (specifier, context, next) =>
  next(specifier, specifier === "@aws-sdk/client-kinesis" ? { ...context, parentURL: ${JSON.stringify(from)} } : context);
`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
