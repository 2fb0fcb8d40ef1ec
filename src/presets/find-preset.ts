import { unknownName } from '../errors.js';

/**
 * The record of that name, in any case of letters.
 *
 * @throws FabricPlanError `unknown-name`, with the nearest names
 */
export function findPreset<T>(what: string, presets: readonly T[], name: string, nameOf: (preset: T) => string): T {
  const wanted = name.toLowerCase();
  const found = presets.find((preset) => nameOf(preset).toLowerCase() === wanted);
  if (found === undefined) throw unknownName('presets', what, name, presets.map(nameOf));
  return found;
}
