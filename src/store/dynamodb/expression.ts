import type { AttributeValue } from "@aws-sdk/client-dynamodb";

/**
 * One update or condition in the making. Every name goes through a placeholder, because the store reserves words such
 * as `format`, and because keys of the mailbox are not ours to choose.
 */
export class Expression {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, AttributeValue> = {};
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  readonly #adds: string[] = [];
  readonly #conditions: string[] = [];
  #valueCount = 0;

  /** A placeholder for an attribute, or for a path into a map. */
  name(...path: readonly [string, ...string[]]): string {
    return path.map((part) => this.#placeholder(part)).join(".");
  }

  /** A placeholder for a value. */
  value(value: AttributeValue): string {
    const key = `:v${String(this.#valueCount++)}`;
    this.#values[key] = value;
    return key;
  }

  string(value: string): string {
    return this.value({ S: value });
  }

  number(value: number): string {
    return this.value({ N: String(value) });
  }

  set(path: string | readonly [string, ...string[]], value: AttributeValue): this {
    const name = typeof path === "string" ? this.name(path) : this.name(...path);
    this.#sets.push(`${name} = ${this.value(value)}`);
    return this;
  }

  /** Sets only where the row has none. */
  setDefault(name: string, value: AttributeValue): this {
    const placeholder = this.name(name);
    this.#sets.push(`${placeholder} = if_not_exists(${placeholder}, ${this.value(value)})`);
    return this;
  }

  remove(...names: readonly string[]): this {
    for (const name of names) this.#removes.push(this.name(name));
    return this;
  }

  removePath(...path: readonly [string, ...string[]]): this {
    this.#removes.push(this.name(...path));
    return this;
  }

  /** Sets, or removes where there is nothing to set. */
  put(name: string, value: AttributeValue | undefined): this {
    return value === undefined ? this.remove(name) : this.set(name, value);
  }

  /** Adds to a number, which counts as 0 where the row has none. */
  add(name: string, amount: number): this {
    this.#adds.push(`${this.name(name)} ${this.number(amount)}`);
    return this;
  }

  /** A clause that must hold beside the others. */
  require(clause: string): this {
    this.#conditions.push(`(${clause})`);
    return this;
  }

  requireEqual(name: string, value: AttributeValue): this {
    return this.require(`${this.name(name)} = ${this.value(value)}`);
  }

  requireAbsent(name: string): this {
    return this.require(`attribute_not_exists(${this.name(name)})`);
  }

  requirePresent(name: string): this {
    return this.require(`attribute_exists(${this.name(name)})`);
  }

  /** The condition alone, for a delete or a put. */
  condition(): {
    ConditionExpression?: string;
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, AttributeValue>;
  } {
    return {
      ...(this.#conditions.length === 0 ? {} : { ConditionExpression: this.#conditions.join(" AND ") }),
      ...(this.#names.size === 0 ? {} : { ExpressionAttributeNames: this.#nameMap() }),
      ...(this.#valueCount === 0 ? {} : { ExpressionAttributeValues: this.#values }),
    };
  }

  /** Update and condition. */
  update(): ReturnType<Expression["condition"]> & { UpdateExpression?: string } {
    const clauses = [
      ["SET", this.#sets],
      ["REMOVE", this.#removes],
      ["ADD", this.#adds],
    ] as const;
    const update = clauses
      .filter(([, parts]) => parts.length > 0)
      .map(([verb, parts]) => `${verb} ${parts.join(", ")}`);
    return {
      ...(update.length === 0 ? {} : { UpdateExpression: update.join(" ") }),
      ...this.condition(),
    };
  }

  #placeholder(name: string): string {
    let placeholder = this.#names.get(name);
    if (placeholder === undefined) {
      placeholder = `#n${String(this.#names.size)}`;
      this.#names.set(name, placeholder);
    }
    return placeholder;
  }

  #nameMap(): Record<string, string> {
    return Object.fromEntries([...this.#names].map(([name, placeholder]) => [placeholder, name]));
  }
}
