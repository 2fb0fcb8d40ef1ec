/** Longest pattern and most repeated parts that are taken: matching stays polynomial of low degree on names of 253 characters. */
const MOST_PATTERN = 256;
const MOST_REPEATS = 3;
const MOST_NAME = 253;

/**
 * A test for names from a regular expression of a file. Patterns that could take long (repeated groups, references, look-around, many
 * repeats) are not taken.
 *
 * @returns undefined for a pattern that is not taken, or no regular expression
 */
export function boundedPattern(pattern: string): ((name: string) => boolean) | undefined {
  if (pattern.length > MOST_PATTERN || /\\[1-9kK]|\(\?|\)[*+{]/.test(pattern)) return undefined;
  const repeats =
    pattern
      .replace(/\\./g, 'x')
      .replace(/\[[^\]]*\]/g, 'x')
      .match(/[*+]|\{\d+,/g) ?? [];
  if (repeats.length > MOST_REPEATS) return undefined;
  try {
    const expression = new RegExp(pattern, 'u');
    return (name) => name.length <= MOST_NAME && expression.test(name);
  } catch {
    return undefined;
  }
}
