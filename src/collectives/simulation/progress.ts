import type { Seconds } from '../../quantities.js';

/** Transfers of one job, in step order; arrays are parallel to transfers. */
export interface TransferList {
  /** GPU index of each rank. */
  readonly gpus: Int32Array;
  readonly start: Seconds;
  readonly weight: number;
  readonly steps: number;
  readonly step: Int32Array;
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly bytes: Float64Array;
}

/** Who waits for whom: transfers that a rank still has open in each step, and what starts when a rank enters a step. */
export class Progress {
  readonly #lists: readonly TransferList[];
  /** First (rank, step) cell of each job in the arrays below. */
  readonly #firstCell: number[] = [];
  readonly #firstTransfer: number[] = [];
  readonly #firstRank: number[] = [];
  /** Transfers that are not done, per (rank, step). */
  readonly #open: Int32Array;
  /** Transfers of each (rank, step), as one list after the other. */
  readonly #listStart: Int32Array;
  readonly #listed: Int32Array;
  /** Ends of a transfer that are not ready yet. */
  readonly #waiting: Uint8Array;
  /** Cells of the two ends of every transfer, and its job. */
  readonly #cellA: Int32Array;
  readonly #cellB: Int32Array;
  readonly #jobOf: Uint16Array;
  readonly #at: Int32Array;
  readonly #ranksLeft: number[];
  readonly ends: Float64Array;

  constructor(lists: readonly TransferList[]) {
    this.#lists = lists;
    let cells = 0;
    let transfers = 0;
    let ranks = 0;
    for (const { gpus, steps, source } of lists) {
      this.#firstCell.push(cells);
      this.#firstTransfer.push(transfers);
      this.#firstRank.push(ranks);
      cells += gpus.length * steps;
      transfers += source.length;
      ranks += gpus.length;
    }
    this.#open = new Int32Array(cells);
    this.#waiting = new Uint8Array(transfers);
    this.#cellA = new Int32Array(transfers);
    this.#cellB = new Int32Array(transfers);
    this.#jobOf = new Uint16Array(transfers);
    this.#at = new Int32Array(ranks).fill(-1);
    this.#ranksLeft = lists.map(({ gpus }) => gpus.length);
    this.ends = Float64Array.from(lists, ({ start }) => start);
    this.#listStart = new Int32Array(cells + 1);
    lists.forEach(({ steps, step, source, target }, job) => {
      const offset = this.#firstTransfer[job];
      const firstCell = this.#firstCell[job];
      for (let t = 0; t < source.length; t++) {
        const a = firstCell + step[t] + source[t] * steps;
        const b = firstCell + step[t] + target[t] * steps;
        this.#cellA[offset + t] = a;
        this.#cellB[offset + t] = b;
        this.#jobOf[offset + t] = job;
        this.#open[a]++;
        if (b !== a) this.#open[b]++;
        this.#waiting[offset + t] = b === a ? 1 : 2;
      }
    });
    for (let cell = 0; cell < cells; cell++) this.#listStart[cell + 1] = this.#listStart[cell] + this.#open[cell];
    this.#listed = new Int32Array(this.#listStart[cells]);
    const cursor = this.#listStart.slice();
    for (let t = 0; t < transfers; t++) {
      const [a, b] = [this.#cellA[t], this.#cellB[t]];
      this.#listed[cursor[a]++] = t;
      if (b !== a) this.#listed[cursor[b]++] = t;
    }
  }

  /** Starts a job: every rank enters its first step. */
  begin(job: number, now: Seconds, ready: (transfer: number) => void): void {
    for (let rank = 0; rank < this.#lists[job].gpus.length; rank++) this.#advance(job, rank, now, ready);
  }

  /** Ends a transfer; ranks that have nothing left in their step go on. */
  finish(transfer: number, now: Seconds, ready: (transfer: number) => void): void {
    const job = this.#jobOf[transfer];
    const t = transfer - this.#firstTransfer[job];
    const { source, target } = this.#lists[job];
    const a = this.#cellA[transfer];
    const b = this.#cellB[transfer];
    if (--this.#open[a] === 0) this.#advance(job, source[t], now, ready);
    if (b !== a && --this.#open[b] === 0) this.#advance(job, target[t], now, ready);
  }

  #advance(job: number, rank: number, now: Seconds, ready: (transfer: number) => void): void {
    const { steps } = this.#lists[job];
    const slot = this.#firstRank[job] + rank;
    const first = this.#firstCell[job] + rank * steps;
    // A rank may only pass a step in which it has nothing left.
    if (this.#at[slot] >= 0 && this.#open[first + this.#at[slot]] > 0) return;
    do this.#at[slot]++;
    while (this.#at[slot] < steps && this.#open[first + this.#at[slot]] === 0);
    if (this.#at[slot] >= steps) {
      if (--this.#ranksLeft[job] === 0) this.ends[job] = now;
      return;
    }
    const cell = first + this.#at[slot];
    for (let i = this.#listStart[cell]; i < this.#listStart[cell + 1]; i++)
      if (--this.#waiting[this.#listed[i]] === 0) ready(this.#listed[i]);
  }
}
