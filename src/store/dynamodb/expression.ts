import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { asNamed, type Naming } from "./row-names.js";

/**
 * One update or condition in the making. Every name goes through a placeholder, because the store reserves words such
 * as `format`, and because keys of the mailbox are not ours to choose. An attribute is asked for by its newest name; `naming` says what it
 * is called at present, and what it is called in rows that the other format wrote.
 */
export class Expression {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, AttributeValue> = {};
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  readonly #adds: string[] = [];
  readonly #conditions: string[] = [];
  readonly #naming: Naming;
  #valueCount = 0;

  constructor(naming: Naming = asNamed) {
    this.#naming = naming;
  }

  /** A placeholder for an attribute that no format renames, or for a path into such a map. */
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
    if (typeof path !== "string") this.#sets.push(`${this.name(...path)} = ${this.value(value)}`);
    else {
      this.#sets.push(`${this.#written(path)} = ${this.value(value)}`);
      this.#removeOther(path);
    }
    return this;
  }

  /** Sets only where the row has none. */
  setDefault(name: string, value: AttributeValue): this {
    const placeholder = this.name(name);
    this.#sets.push(`${placeholder} = if_not_exists(${placeholder}, ${this.value(value)})`);
    return this;
  }

  remove(...names: readonly string[]): this {
    for (const name of names) {
      this.#removes.push(this.#written(name));
      this.#removeOther(name);
    }
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
    const other = this.#other(name);
    if (other === undefined) {
      this.#adds.push(`${this.name(name)} ${this.number(amount)}`);
      return this;
    }
    // The sum goes on where the other format left it.
    const written = this.#written(name);
    const sum = `if_not_exists(${written}, if_not_exists(${other}, ${this.number(0)}))`;
    this.#sets.push(`${written} = ${sum} + ${this.number(amount)}`);
    this.#removeOther(name);
    return this;
  }

  /** Adds to a set of strings, which is made where the row has none. */
  addTo(name: string, members: readonly string[]): this {
    this.#adds.push(`${this.name(name)} ${this.value({ SS: [...members] })}`);
    return this;
  }

  /** A clause that must hold beside the others. */
  require(clause: string): this {
    this.#conditions.push(`(${clause})`);
    return this;
  }

  requireEqual(name: string, value: AttributeValue): this {
    const expected = this.value(value);
    const other = this.#other(name);
    const equal = `${this.#written(name)} = ${expected}`;
    return this.require(other === undefined ? equal : `${equal} OR ${other} = ${expected}`);
  }

  requireAbsent(name: string): this {
    const other = this.#other(name);
    const absent = `attribute_not_exists(${this.#written(name)})`;
    return this.require(other === undefined ? absent : `${absent} AND attribute_not_exists(${other})`);
  }

  requirePresent(name: string): this {
    const other = this.#other(name);
    const present = `attribute_exists(${this.#written(name)})`;
    return this.require(other === undefined ? present : `${present} OR attribute_exists(${other})`);
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

  #written(name: string): string {
    return this.name(this.#naming.written(name));
  }

  #other(name: string): string | undefined {
    const other = this.#naming.other(name);
    return other === undefined ? undefined : this.name(other);
  }

  /** A row that kept the other format's value would show two. */
  #removeOther(name: string): void {
    const other = this.#other(name);
    if (other !== undefined) this.#removes.push(other);
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
