import type { CollectiveSchedule } from './optimal-schedule.js';

/** One instruction of a thread block, before its number is known. */
interface Instruction {
  readonly kind: 's' | 'r' | 'rrc';
  readonly chunk: number;
  readonly count: number;
  /** What must have happened first on the same GPU. */
  readonly after?: Instruction;
  block?: number;
  step?: number;
}

/**
 * A schedule as MSCCL XML, which MSCCL and RCCL run in place of their own algorithms. One thread block per connection and direction; a
 * send waits for the receive that brought (or completed) its chunks.
 *
 * @complexity O(tree edges · log tree edges)
 * @reference microsoft/msccl-tools: the format of its compiler's output
 */
export function formatMscclXml(schedule: CollectiveSchedule, name = 'fabricplan'): string {
  const { operation, ranks, slicesPerRank, trees } = schedule;
  const n = ranks.length;
  const chunks = n * slicesPerRank;
  // instructions[gpu]: connection → instructions in order; s for sends, r for receives.
  const blocks = Array.from({ length: n }, () => new Map<string, Instruction[]>());
  const add = (gpu: number, connection: string, instruction: Instruction): Instruction => {
    const list = blocks[gpu].get(connection) ?? [];
    blocks[gpu].set(connection, list);
    list.push(instruction);
    return instruction;
  };
  const next = new Int32Array(n);
  const moves: { source: number; target: number; chunk: number; count: number; step: number; reduces: boolean }[] = [];
  for (const tree of trees) {
    const chunk = tree.root * slicesPerRank + next[tree.root];
    next[tree.root] += tree.slices;
    const depth = new Map([[tree.root, 0]]);
    for (const { source, target } of tree.edges) depth.set(target, (depth.get(source) ?? 0) + 1);
    const deepest = Math.max(...depth.values());
    for (const { source, target } of tree.edges) {
      const at = depth.get(source) ?? 0;
      if (operation !== 'all-gather')
        moves.push({ source: target, target: source, chunk, count: tree.slices, step: deepest - at - 1, reduces: true });
      if (operation !== 'reduce-scatter')
        moves.push({ source, target, chunk, count: tree.slices, step: (operation === 'all-reduce' ? n : 0) + at, reduces: false });
    }
  }
  moves.sort((a, b) => a.step - b.step || a.chunk - b.chunk || a.source - b.source || a.target - b.target);
  const last = Array.from({ length: n }, () => new Map<number, Instruction>());
  for (const { source, target, chunk, count, reduces } of moves) {
    const lane = reduces ? 0 : 1;
    const before = last[source].get(chunk);
    add(source, `s ${target} ${lane}`, { kind: 's', chunk, count, ...(before === undefined ? {} : { after: before }) });
    const earlier = last[target].get(chunk);
    const receive = add(target, `r ${source} ${lane}`, {
      kind: reduces ? 'rrc' : 'r',
      chunk,
      count,
      ...(earlier === undefined ? {} : { after: earlier }),
    });
    last[target].set(chunk, receive);
  }
  const collective = operation === 'all-gather' ? 'allgather' : operation === 'reduce-scatter' ? 'reduce_scatter' : 'allreduce';
  const inputs = operation === 'all-gather' ? slicesPerRank : chunks;
  const outputs = operation === 'reduce-scatter' ? slicesPerRank : chunks;
  const lines = [
    `<algo name="${name}" proto="Simple" nchannels="2" nchunksperloop="${chunks}" ngpus="${n}" coll="${collective}" inplace="1" outofplace="0">`,
  ];
  blocks.forEach((own, gpu) => {
    lines.push(`  <gpu id="${gpu}" i_chunks="${inputs}" o_chunks="${outputs}" s_chunks="0">`);
    const connections = [...own.keys()].sort();
    connections.forEach((connection, block) => {
      own.get(connection)?.forEach((instruction, step) => {
        instruction.block = block;
        instruction.step = step;
      });
    });
    const awaited = new Set([...own.values()].flat().flatMap(({ after }) => (after === undefined ? [] : [after])));
    connections.forEach((connection, block) => {
      const [direction, peer, lane] = connection.split(' ');
      lines.push(`    <tb id="${block}" send="${direction === 's' ? peer : -1}" recv="${direction === 'r' ? peer : -1}" chan="${lane}">`);
      for (const one of own.get(connection) ?? []) {
        const place = `srcbuf="o" srcoff="${one.chunk}" dstbuf="o" dstoff="${one.chunk}" cnt="${one.count}"`;
        lines.push(
          `      <step s="${one.step}" type="${one.kind}" ${place} depid="${one.after?.block ?? -1}" deps="${one.after?.step ?? -1}" hasdep="${awaited.has(one) ? 1 : 0}"/>`,
        );
      }
      lines.push('    </tb>');
    });
    lines.push('  </gpu>');
  });
  lines.push('</algo>');
  return `${lines.join('\n')}\n`;
}
