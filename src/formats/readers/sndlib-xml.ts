import { draftTopology } from '../topology/draft.js';
import { topologyOfSndlib, type SndlibDemand, type SndlibLink } from '../topology/sndlib-parts.js';
import type { Topology } from '../topology/types.js';
import { parseXml, type XmlElement } from '../xml.js';

const WHERE = 'readSndlibXml';

/** SNDlib XML: nodes, links with installed capacity and step-cost modules, demands. x is the longitude. */
export function readSndlibXml(text: string, name: string): Topology {
  const root = parseXml(text, WHERE);
  const draft = draftTopology(WHERE, 'sndlib-xml', name, 'wide-area');
  const child = (element: XmlElement | undefined, key: string): XmlElement | undefined => element?.children.find((one) => one.name === key);
  const structure = child(root, 'networkStructure');
  if (root.name !== 'network' || structure === undefined)
    draft.refuse(`<${root.name}> holds no <networkStructure>; expected a network of SNDlib`, root.line);
  draft.check();
  const number = (element: XmlElement | undefined, what: string): number | undefined => {
    if (element === undefined) return undefined;
    const value = element.text.trim() === '' ? NaN : Number(element.text.trim());
    if (!Number.isFinite(value)) draft.refuse(`${what} is "${element.text.trim().slice(0, 40)}"; expected a number`, element.line);
    return value;
  };
  const text1 = (element: XmlElement | undefined): string => element?.text.trim() ?? '';
  const list = (key: string, item: string): readonly XmlElement[] =>
    (child(structure, key) ?? child(root, key))?.children.filter((one) => one.name === item) ?? [];
  const nodes = list('nodes', 'node').map((node) => {
    const place = child(node, 'coordinates');
    const [x, y] = [number(child(place, 'x'), 'x'), number(child(place, 'y'), 'y')];
    return { id: node.attributes['id'] ?? '', ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }), line: node.line };
  });
  const links = list('links', 'link').map((link): SndlibLink => {
    const module = child(link, 'preInstalledModule');
    const optional = (key: 'routingCost' | 'setupCost'): Partial<Record<typeof key, number>> => {
      const value = number(child(link, key), key);
      return value === undefined ? {} : { [key]: value };
    };
    const cost = number(child(module, 'cost'), 'cost');
    return {
      id: link.attributes['id'] ?? '',
      source: text1(child(link, 'source')),
      target: text1(child(link, 'target')),
      capacity: number(child(module, 'capacity'), 'capacity') ?? 0,
      ...(cost === undefined ? {} : { capacityCost: cost }),
      ...optional('routingCost'),
      ...optional('setupCost'),
      modules: (child(link, 'additionalModules')?.children ?? [])
        .filter((one) => one.name === 'addModule')
        .map((one) => ({ capacity: number(child(one, 'capacity'), 'capacity') ?? 0, cost: number(child(one, 'cost'), 'cost') ?? 0 })),
      line: link.line,
    };
  });
  const demands = list('demands', 'demand').map((demand): SndlibDemand => ({
    id: demand.attributes['id'] ?? '',
    source: text1(child(demand, 'source')),
    target: text1(child(demand, 'target')),
    value: number(child(demand, 'demandValue'), 'demandValue') ?? 0,
    line: demand.line,
  }));
  draft.check();
  const meta = Object.fromEntries(
    (child(root, 'meta')?.children ?? []).filter((one) => one.name !== '__proto__').map((one) => [one.name, one.text.trim()]),
  );
  return topologyOfSndlib(WHERE, 'sndlib-xml', name, {
    meta,
    isGeographical: child(structure, 'nodes')?.attributes['coordinatesType'] !== 'pixel',
    nodes,
    links,
    demands,
  });
}
