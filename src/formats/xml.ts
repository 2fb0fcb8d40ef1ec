import { SaxesParser } from 'saxes';
import { FabricPlanError } from '../errors.js';

/** An XML element as plain data, with the line it starts on. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  readonly line: number;
}

/** Longest text and deepest nesting that is read; real files are far below. */
const MOST_CHARACTERS = 64 * 1024 * 1024;
const MOST_DEPTH = 200;

/**
 * Reads an XML document into a tree. Entities beyond the five of XML are refused, so nothing is expanded or fetched.
 *
 * @throws FabricPlanError `parse` with line and column; `too-large` beyond 64 Mi characters or 200 levels
 * @complexity O(characters)
 */
export function parseXml(text: string, where: string): XmlElement {
  if (text.length > MOST_CHARACTERS)
    throw new FabricPlanError('too-large', `${where}: the text has ${text.length} characters; expected at most ${MOST_CHARACTERS}`);
  const parser = new SaxesParser({ xmlns: false });
  interface Open {
    name: string;
    attributes: Record<string, string>;
    children: XmlElement[];
    text: string;
    line: number;
  }
  const stack: Open[] = [];
  let root: XmlElement | undefined;
  parser.on('error', (error) => {
    throw new FabricPlanError('parse', `${where}: ${error.message}`, [{ path: `line ${parser.line}`, message: error.message }]);
  });
  parser.on('opentag', (tag) => {
    if (stack.length >= MOST_DEPTH)
      throw new FabricPlanError('too-large', `${where}: line ${parser.line} is nested deeper than ${MOST_DEPTH} elements`);
    stack.push({
      name: tag.name,
      attributes: Object.assign(Object.create(null) as Record<string, string>, tag.attributes),
      children: [],
      text: '',
      line: parser.line,
    });
  });
  parser.on('text', (part) => {
    const top = stack.at(-1);
    if (top !== undefined && part.trim() !== '') top.text += part;
  });
  parser.on('cdata', (part) => {
    const top = stack.at(-1);
    if (top !== undefined) top.text += part;
  });
  parser.on('closetag', () => {
    const closed = stack.pop();
    if (closed === undefined) return;
    const parent = stack.at(-1);
    if (parent === undefined) root = closed;
    else parent.children.push(closed);
  });
  parser.write(text).close();
  if (root === undefined) throw new FabricPlanError('parse', `${where}: the text holds no element; expected an XML document`);
  return root;
}
