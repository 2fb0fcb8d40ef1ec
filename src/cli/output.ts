import { SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type { TextStyle } from '../report/text-report.js';

/** Exit codes: 0 done, 1 wrong usage, 2 input refused, 3 nothing feasible. */
export const EXIT = { done: 0, usage: 1, input: 2, infeasible: 3 } as const;

/** Colours where the terminal has them; none under NO_COLOR or in a pipe. */
export function terminalStyle(): TextStyle {
  const colours = pc.createColors(process.stdout.isTTY && pc.isColorSupported);
  return { bold: colours.bold, dim: colours.dim, good: colours.green, bad: colours.red };
}

/** Data on standard output; JSON on one line per object, with a final newline. */
export function printJson(value: unknown): void {
  process.stdout.write(
    `${JSON.stringify(value, (_, item: unknown) => (typeof item === 'number' && !Number.isFinite(item) ? null : item), 2)}\n`,
  );
}

/** A progress bar on standard error while it is a terminal; silent otherwise. */
export function progressBar(isQuiet: boolean): { update(share: number, what: string): void; stop(): void } {
  if (isQuiet || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: '{bar} {percentage}% {what}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  bar.start(100, 0, { what: '' });
  return {
    update(share, what) {
      bar.update(Math.round(share * 100), { what });
    },
    stop() {
      bar.stop();
    },
  };
}
