import { parseDocument, stringify } from 'yaml';
import { FabricPlanError, throwIssues, type Issue } from '../errors.js';
import { descriptionSchema, type Description } from './description-schema.js';

/** Longest text that is parsed; a description of hundreds of sites has a few hundred kilobytes. */
export const MOST_TEXT = 32 * 1024 * 1024;
/** Longest YAML text: its parser needs some hundred times the memory of the text. */
const MOST_YAML = 2 * 1024 * 1024;

/**
 * Reads a description in YAML or JSON.
 *
 * @throws FabricPlanError `parse` with line numbers for broken YAML or JSON, and with the path of every field that is wrong; `too-large`
 * @example
 * parseDescription('name: x\nsites: [{ id: a, clusters: [{ node: dgx-h100, nodes: 2 }] }]').name // 'x'
 */
export function parseDescription(text: string): Description {
  const value = parseText(text, 'parseDescription');
  const parsed = descriptionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue): Issue => {
    const path = issue.path.map(String).join('.');
    return { path, message: `${path === '' ? 'the description' : path}: ${issue.message}` };
  });
  throwIssues('parse', 'parseDescription', issues);
  throw new FabricPlanError('parse', 'parseDescription: the description is not valid');
}

/** Writes a description as YAML; parseDescription of it gives the same value. */
export function formatDescription(description: Description): string {
  return stringify(description, { lineWidth: 140 });
}

/** YAML or JSON text to a plain value. Aliases are bounded, duplicate keys and oversized texts refused. */
export function parseText(text: string, where: string): unknown {
  if (text.length > MOST_TEXT)
    throw new FabricPlanError('too-large', `${where}: the text has ${text.length} characters; expected at most ${MOST_TEXT}`);
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) {
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      // A YAML flow mapping also starts with a brace: let the YAML parser have its say unless the text is long.
      if (text.length > MOST_YAML)
        throw new FabricPlanError('parse', `${where}: not valid JSON: ${(cause as Error).message}`, [], { cause });
    }
  }
  if (text.length > MOST_YAML)
    throw new FabricPlanError('too-large', `${where}: the YAML text has ${text.length} characters; expected at most ${MOST_YAML}, or JSON`);
  const depth = deepest(text);
  if (depth > 200) throw new FabricPlanError('parse', `${where}: the text nests ${depth} levels deep; expected at most 200`);
  try {
    const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true, logLevel: 'error' });
    const issues = document.errors.map((error): Issue => ({
      path: `line ${error.linePos?.[0].line ?? '?'}`,
      message: error.message.split('\n')[0],
    }));
    throwIssues('parse', where, issues);
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    if (cause instanceof FabricPlanError) throw cause;
    throw new FabricPlanError('parse', `${where}: ${(cause as Error).message.split('\n')[0]}`, [], { cause });
  }
}

/** Upper bound of the nesting of flow collections and indentation; parsers recurse. */
function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 91 || code === 123) most = Math.max(most, ++depth);
    else if (code === 93 || code === 125) depth--;
  }
  for (const line of text.split('\n')) {
    const dashes = /^(?:\s*-\s)+/.exec(line.slice(0, 4000))?.[0] ?? '';
    most = Math.max(most, (dashes.match(/-/g) ?? []).length, Math.floor((/^ */.exec(line.slice(0, 4000))?.[0].length ?? 0) / 2));
  }
  return most;
}
