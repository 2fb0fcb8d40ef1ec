/** A written topology, and what the format could not carry of it. */
export interface Written {
  readonly text: string;
  /** What is in the topology and not in the text; empty where nothing is lost. */
  readonly lost: readonly string[];
}
