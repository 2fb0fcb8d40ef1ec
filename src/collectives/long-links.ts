import { invalidArgument } from '../errors.js';
import type { Bytes, BytesPerSecond, Seconds } from '../quantities.js';

/**
 * What carries a connection over a long link.
 *
 * - `nccl`: a sender may run ahead of the receiver by the buffer of each of its channels (4 MiB with bulk protocol).
 * - `rdma`: so many outstanding messages of a size on each queue pair.
 * - `tcp`: parallel streams, each limited by its socket window and, where packets are lost, by congestion control.
 * - `lossless`: a wave with enough buffers at its ends; only its rate limits.
 */
export type LongLinkTransport =
  | { readonly kind: 'nccl'; readonly channels: number; readonly buffer?: Bytes }
  | { readonly kind: 'rdma'; readonly queuePairs: number; readonly outstanding: number; readonly message: Bytes }
  | {
      readonly kind: 'tcp';
      readonly streams: number;
      readonly window: Bytes;
      /** Share of packets lost. Default 0. */
      readonly lossRate?: number;
      /** Payload of a packet. Default 1,448 B; 8,948 B with jumbo frames. */
      readonly segment?: Bytes;
    }
  | { readonly kind: 'lossless' };

/**
 * Bytes that a connection can have in flight. Over a round trip R it carries at most this / R, whatever the fibre: pass it as
 * `physics.window`.
 *
 * Loss acts like a window: a stream that loses a share p of its segments keeps about 1.22·segment/√p in flight.
 *
 * @throws FabricPlanError `invalid-argument` for counts or sizes that are not above 0, or a loss rate outside 0–1
 * @reference Mathis et al., Comput. Commun. Rev. 27(3), 1997 (loss); NCCL 2.30 init.cc (buffer of a channel)
 * @example
 * bytesInFlight({ kind: 'nccl', channels: 16 }) / 10e-3 // 6710886400
 */
export function bytesInFlight(transport: LongLinkTransport): Bytes {
  const where = 'bytesInFlight';
  for (const [name, value] of Object.entries(transport)) {
    if (name === 'kind') continue;
    const ok = name === 'lossRate' ? value >= 0 && value < 1 : Number.isFinite(value) && value > 0;
    if (!ok) throw invalidArgument(where, name, value, name === 'lossRate' ? 'a share from 0 to below 1' : 'a number above 0');
  }
  switch (transport.kind) {
    case 'nccl':
      return transport.channels * (transport.buffer ?? 4 * 2 ** 20);
    case 'rdma':
      return transport.queuePairs * transport.outstanding * transport.message;
    case 'tcp': {
      const loss = transport.lossRate ?? 0;
      const byLoss = loss > 0 ? (1.22 * (transport.segment ?? 1448)) / Math.sqrt(loss) : Infinity;
      return transport.streams * Math.min(transport.window, byLoss);
    }
    case 'lossless':
      return Infinity;
  }
}

/** Rate of a connection over a link of some rate and round trip: the lesser of the link and what its bytes in flight allow. */
export function connectionRate(
  transport: LongLinkTransport,
  link: { readonly bandwidth: BytesPerSecond; readonly roundTrip: Seconds },
): BytesPerSecond {
  if (!(link.bandwidth > 0)) throw invalidArgument('connectionRate', 'bandwidth', link.bandwidth, 'bytes per second above 0');
  if (!(link.roundTrip >= 0)) throw invalidArgument('connectionRate', 'roundTrip', link.roundTrip, 'seconds of 0 or more');
  return link.roundTrip === 0 ? link.bandwidth : Math.min(link.bandwidth, bytesInFlight(transport) / link.roundTrip);
}
