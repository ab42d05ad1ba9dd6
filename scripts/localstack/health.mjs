// What a running LocalStack says of itself.

async function ask(endpoint, page) {
  const response = await fetch(new URL(page, endpoint), { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${page} answered ${response.status}`);
  return await response.json();
}

/**
 * The version on its health page.
 * @throws Error when nothing answers there, or something else does
 */
export async function versionOf(endpoint) {
  let page;
  try {
    page = await ask(endpoint, "/_localstack/health");
  } catch (error) {
    throw new Error(`no LocalStack answers at ${endpoint}: ${error.message}`, { cause: error });
  }
  if (typeof page?.version === "string") return page.version;
  throw new Error(
    `no LocalStack answers at ${endpoint}: what does names no version: ${JSON.stringify(page)}`,
  );
}

/** "Ready." in its log does not prove that the services have loaded; that the init script has used them does. */
export async function initHasRun(endpoint) {
  let page;
  try {
    page = await ask(endpoint, "/_localstack/init/ready");
  } catch {
    return false;
  }
  const failed = page.scripts.filter(({ state }) => state === "ERROR");
  if (failed.length > 0) throw new Error(`LocalStack's init script failed: ${JSON.stringify(failed)}`);
  return page.completed === true;
}
