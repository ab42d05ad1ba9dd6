/**
 * Something large on its way through promises and frames that have waited for it. What waits as long as an answer takes is
 * old to the collector, and keeps what it is given until the next great collection, though nobody has it any more: all that
 * is in an answer would. So it is given a parcel, which whoever gets it opens.
 */
export class Parcel<T extends object> {
  #content: T | undefined;

  constructor(content: T) {
    this.#content = content;
  }

  /** @throws the second time: what is gone may not pass for empty */
  open(): T {
    const content = this.#content;
    if (content === undefined) throw new Error("the records of this answer have been taken by another");
    this.#content = undefined;
    return content;
  }
}
