import { appendTo } from '../topology/append-to.js';
import Papa from 'papaparse';
import { FabricPlanError, showValue } from '../../errors.js';
import { draftTopology, type Draft } from '../topology/draft.js';
import { isRecord, listOf, numberOf, own, textOf } from '../topology/plain-text.js';
import type { StructuredText } from '../topology/structured-text.js';
import type { Topology } from '../topology/types.js';

const WHERE = 'readNetbox';
const METRES: Readonly<Record<string, number>> = { km: 1000, m: 1, cm: 0.01, mi: 1609.344, ft: 0.3048, in: 0.0254 };
/** Bytes per second of the leading number of an interface type: `400gbase-x-osfp`, `infiniband-ndr` (4x). */
const INFINIBAND: Readonly<Record<string, number>> = {
  sdr: 8,
  ddr: 16,
  qdr: 32,
  fdr10: 40,
  fdr: 54.54,
  edr: 100,
  hdr: 200,
  ndr: 400,
  xdr: 800,
};

const TABLES = ['sites', 'devices', 'interfaces', 'cables', 'front_ports', 'rear_ports'] as const;
type Table = (typeof TABLES)[number];

const rowsOf = (value: unknown): readonly unknown[] | undefined =>
  Array.isArray(value) ? value : Array.isArray(own(value, 'results')) ? listOf(own(value, 'results')) : undefined;
const isCable = (value: unknown): boolean => own(value, 'a_terminations') !== undefined || own(value, 'termination_a_type') !== undefined;

export const isNetbox = (value: unknown): boolean => {
  const tables = isRecord(value) ? TABLES.filter((table) => rowsOf(own(value, table)) !== undefined) : [];
  if (tables.includes('cables') && tables.length > 1) return true;
  const rows = rowsOf(value);
  return rows !== undefined && rows.length > 0 && rows.every(isCable);
};
/** Header of a table of cables in the columns that NetBox imports. */
export const isNetboxCsv = (text: string): boolean =>
  /^"?side_a_device"?,/m.test(text.slice(0, 2000)) && /side_b_device/.test(text.slice(0, 2000));

/**
 * An export of NetBox: sites, devices, interfaces and cables as its REST interface gives them, in one object, or cables alone. Rates come
 * from the interfaces (speed in kb/s, else type); cables through patch panels are followed where front ports are in the export.
 */
export function readNetbox(text: StructuredText, name: string): Topology {
  const root = text.documents[0];
  const tables = Object.fromEntries(TABLES.map((table) => [table, isRecord(root) ? (rowsOf(own(root, table)) ?? []) : []])) as Record<
    Table,
    readonly unknown[]
  >;
  if (isRecord(root) && tables.front_ports.length === 0) tables.front_ports = rowsOf(own(root, 'front-ports')) ?? [];
  const cables = tables.cables.length > 0 ? tables.cables : (rowsOf(root) ?? []);
  const draft = draftTopology(WHERE, 'netbox', name, 'cluster');
  const places = new Map<string, readonly [number, number]>();
  for (const site of tables.sites) {
    const id = slugOf(site);
    const [latitude, longitude] = [numberOf(own(site, 'latitude')), numberOf(own(site, 'longitude'))];
    if (latitude !== undefined && longitude !== undefined) {
      if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
        draft.refuse(`site "${id}" is at ${latitude}, ${longitude}; expected latitude and longitude`);
      places.set(id, [latitude, longitude]);
    }
  }
  const many = new Set(tables.devices.map((device) => slugOf(own(device, 'site')))).size > 1;
  for (const device of tables.devices) addDevice(draft, device, places, many);
  const rates = new Map<string, number>();
  for (const one of tables.interfaces) {
    const rate = rateOf(draft, one);
    if (rate !== undefined) rates.set(portKey(own(one, 'device'), one), rate);
  }
  // A panel joins the cable at its front port with the one at its rear port.
  const panel = new Map<string, string>();
  for (const port of tables.front_ports) {
    const device = own(port, 'device');
    const [front, rear] = [`front ${portKey(device, port)}`, `rear ${portKey(device, own(port, 'rear_port'))}`];
    panel.set(front, rear);
    if (!panel.has(rear)) panel.set(rear, front);
  }
  const ends = new Map<string, { key: string; cable: number }[]>();
  const parsed = cables.map((cable, i) => {
    const [a, b] = ['a', 'b'].map((side) =>
      terminationOf(
        own(cable, `${side}_terminations`) ?? own(cable, `termination_${side}`),
        textOf(own(cable, `termination_${side}_type`)),
      ),
    );
    for (const end of [a, b]) if (end !== undefined) appendTo(ends, end.key, { key: end.key, cable: i });
    const length = numberOf(own(cable, 'length'));
    const unit = textOf(own(own(cable, 'length_unit'), 'value')) ?? textOf(own(cable, 'length_unit')) ?? 'm';
    return {
      a,
      b,
      length: length === undefined || !(length >= 0) || !Object.hasOwn(METRES, unit) ? undefined : length * METRES[unit],
      label: textOf(own(cable, 'label')) ?? '',
    };
  });
  const used = new Set<number>();
  let open = 0;
  let followed = 0;
  parsed.forEach((cable, start) => {
    if (used.has(start)) return;
    used.add(start);
    const { a, b } = cable;
    if (a === undefined || b === undefined) {
      open++;
      return;
    }
    let length = cable.length;
    const follow = (from: Termination): Termination | undefined => {
      let at = from;
      for (let hops = 0; at.isPanel; hops++) {
        const across = panel.get(at.key);
        const next = across === undefined ? undefined : ends.get(across)?.find((one) => !used.has(one.cable));
        if (across === undefined || next === undefined || hops > 100) return undefined;
        used.add(next.cable);
        followed++;
        const further = parsed[next.cable];
        length = length === undefined || further.length === undefined ? undefined : length + further.length;
        const far = further.a?.key === across ? further.b : further.a;
        if (far === undefined) return undefined;
        at = far;
      }
      return at;
    };
    const [from, to] = [follow(a), follow(b)];
    if (from === undefined || to === undefined) {
      open++;
      return;
    }
    for (const end of [from, to])
      if (!draft.has(end.device))
        draft.device({ id: end.device, kind: 'switch', location: [], attributes: { inferred: 'named by a cable only' } });
    const known = [from, to].map((end) => rates.get(end.port)).filter((rate) => rate !== undefined);
    if (known.length === 2 && known[0] !== known[1]) draft.warn(`${from.port} and ${to.port} have different rates; the lower is taken`);
    draft.link({
      source: from.device,
      target: to.device,
      technology: 'cable',
      ...(known.length > 0 ? { bandwidth: Math.min(...known) } : {}),
      ...(length === undefined ? {} : { distance: length }),
      sourcePort: from.name,
      targetPort: to.name,
      ...(cable.label === '' ? {} : { attributes: { label: cable.label } }),
    });
  });
  if (open > 0)
    draft.warn(`${open} cables end at a patch panel, a circuit or nowhere and are left out (export front ports to follow panels)`);
  if (followed > 0) draft.infer('cables through patch panels', 'front and rear ports', followed);
  if (cables.length === 0) draft.refuse('there are no cables; expected an export with devices, interfaces and cables');
  return draft.finish({
    levels: many ? ['site', 'host'] : ['host'],
    contents: { sites: tables.sites.length, devices: tables.devices.length, interfaces: tables.interfaces.length, cables: cables.length },
  });
}

/** A table of cables with the columns side_a_device, side_a_name, side_b_device, side_b_name, length, length_unit. */
export function readNetboxCsv(text: string, name: string): Topology {
  const { data, errors } = Papa.parse<string[]>(text.trim(), { skipEmptyLines: true });
  const fail = (line: number, message: string): never => {
    throw new FabricPlanError('parse', `${WHERE}: line ${line}: ${message}`, [{ path: `line ${line}`, message }]);
  };
  const wrong = errors.find(({ type }) => type !== 'Delimiter');
  if (wrong !== undefined) fail((wrong.row ?? 0) + 1, wrong.message);
  const [header = [], ...lines] = data;
  const missing = ['side_a_device', 'side_a_name', 'side_b_device', 'side_b_name'].filter((column) => !header.includes(column));
  if (missing.length > 0) fail(1, `the table has no column ${missing.join(', ')}; expected the columns of a NetBox cable import`);
  const rows = lines.map((cells) => Object.fromEntries(header.map((column, i) => [column, cells[i] ?? ''])));
  const end = (row: Record<string, string>, side: string): unknown => [
    {
      object_type: row[`side_${side}_type`] ?? 'dcim.interface',
      object: { name: row[`side_${side}_name`], device: { name: row[`side_${side}_device`] } },
    },
  ];
  const cables = rows.map((row) => ({
    a_terminations: end(row, 'a'),
    b_terminations: end(row, 'b'),
    length: row['length'],
    length_unit: row['length_unit'],
    label: row['label'],
  }));
  return readNetbox({ documents: [cables], lineOf: () => undefined }, name);
}

interface Termination {
  readonly device: string;
  readonly name: string;
  readonly port: string;
  /** Port with its side of a panel. */
  readonly key: string;
  readonly isPanel: boolean;
}

const slugOf = (value: unknown): string => textOf(own(value, 'slug')) ?? textOf(own(value, 'name')) ?? '';
const portKey = (device: unknown, port: unknown): string => `${textOf(own(device, 'name')) ?? ''}:${textOf(own(port, 'name')) ?? ''}`;

function terminationOf(value: unknown, typeName: string | undefined): Termination | undefined {
  const first = Array.isArray(value) ? (value[0] as unknown) : value;
  const object = own(first, 'object') ?? first;
  const device = textOf(own(own(object, 'device'), 'name'));
  const name = textOf(own(object, 'name'));
  if (device === undefined || device === '' || name === undefined) return undefined;
  const type = textOf(own(first, 'object_type')) ?? typeName ?? '';
  const side = /front/i.test(type) ? 'front ' : /rear/i.test(type) ? 'rear ' : '';
  if (!/interface/i.test(type) && side === '' && type !== '') return undefined;
  return { device, name, port: `${device}:${name}`, key: `${side}${device}:${name}`, isPanel: side !== '' };
}

function addDevice(draft: Draft, device: unknown, places: ReadonlyMap<string, readonly [number, number]>, many: boolean): void {
  const id = textOf(own(device, 'name')) ?? '';
  if (id === '') {
    draft.warn('a device without a name is left out');
    return;
  }
  if (draft.has(id)) {
    draft.refuse(`device "${id}" occurs twice; expected unique names`);
    return;
  }
  const role = slugOf(own(device, 'role') ?? own(device, 'device_role'));
  const type = textOf(own(own(device, 'device_type'), 'model')) ?? '';
  if (/patch|panel|pdu|power|console/i.test(`${role} ${type}`)) return;
  const site = slugOf(own(device, 'site'));
  const isHost = /server|node|compute|gpu|host|hypervisor|worker|dgx|hgx/i.test(role);
  const rack = textOf(own(own(device, 'rack'), 'name'));
  draft.device({
    id,
    kind: isHost ? 'host' : /router|gateway|wan/i.test(role) ? 'gateway' : 'switch',
    location: isHost ? (many ? [site, id] : [id]) : many ? [site] : [],
    ...(places.has(site) ? { coordinates: places.get(site)! } : {}),
    attributes: { role, ...(type === '' ? {} : { type }), ...(site === '' ? {} : { site }), ...(rack === undefined ? {} : { rack }) },
  });
}

/** Rate of an interface: its speed in kb/s, else what its type says. */
function rateOf(draft: Draft, port: unknown): number | undefined {
  const speed = own(port, 'speed');
  if (speed !== undefined && speed !== null && speed !== '') {
    const kilobits = numberOf(speed);
    if (kilobits === undefined || !(kilobits > 0))
      draft.refuse(`interface "${textOf(own(port, 'name')) ?? ''}" has speed ${showValue(speed)}; expected kb/s`);
    else return (kilobits * 1000) / 8;
  }
  const type = (textOf(own(own(port, 'type'), 'value')) ?? textOf(own(port, 'type')) ?? '').toLowerCase();
  const gigabits = /^(\d+(?:\.\d+)?)gbase/.exec(type)?.[1];
  if (gigabits !== undefined) return (Number(gigabits) * 1e9) / 8;
  const code = /^infiniband-([a-z0-9]+)$/.exec(type)?.[1] ?? '';
  return Object.hasOwn(INFINIBAND, code) ? (INFINIBAND[code] * 1e9) / 8 : undefined;
}
