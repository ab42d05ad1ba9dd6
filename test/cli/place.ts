import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { Cli, runCli, type CliExit } from "./spawn-cli.js";

/** A DynamoDB for the command lines of one `describe`, and those that were started there. */
export class Place {
  #dynalite: Dynalite | undefined;
  readonly #started: Cli[] = [];

  /** Registers its hooks: to be called in a `describe`. What a test leaves running is killed after it. */
  constructor() {
    before(async () => {
      this.#dynalite = await startDynalite();
    });
    after(() => this.#dynalite?.stop());
    afterEach(() => {
      for (const { child } of this.#started.splice(0)) {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      }
    });
  }

  get endpoint(): string {
    if (this.#dynalite === undefined) throw new Error("its DynamoDB is not started yet");
    return this.#dynalite.endpoint;
  }

  get env(): Readonly<Record<string, string>> {
    return { AWS_ENDPOINT_URL_DYNAMODB: this.endpoint };
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Cli {
    const cli = new Cli(args, { ...this.env, ...env });
    this.#started.push(cli);
    return cli;
  }

  /** Runs one to its end. */
  run(...args: readonly string[]): Promise<CliExit> {
    return runCli(args, this.env);
  }

  /** What `status --json` of an application shows; undefined while it has no tables. */
  async status<T>(application: string): Promise<T | undefined> {
    const { code, json } = await this.run("status", "--application", application, "--json");
    return code === 0 ? (json() as T) : undefined;
  }
}
