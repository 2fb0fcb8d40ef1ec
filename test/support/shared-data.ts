import { existsSync, readFileSync } from 'node:fs';

const DATA = new URL('../../../shared/data/', import.meta.url);

/** Whether a folder of public measurements lies beside this repository; tests on it are skipped where it does not. */
export const hasShared = (folder: string): boolean => existsSync(new URL(`${folder}/`, DATA));
export const readShared = (path: string): string => readFileSync(new URL(path, DATA), 'utf8');
export const sharedUrl = (path: string): URL => new URL(path, DATA);

/** Rows of a simple CSV file as objects; none where it is absent. */
export function sharedTable(path: string): Record<string, string>[] {
  if (!existsSync(new URL(path, DATA))) return [];
  const [header, ...rows] = readShared(path)
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  return rows.map((cells) => Object.fromEntries(cells.map((cell, i) => [header[i], cell])));
}
