import type { CollectiveOperation } from './types.js';

/** busbw / algbw of nccl-tests. */
export function busFactor(operation: CollectiveOperation, n: number): number {
  switch (operation) {
    case 'all-reduce':
      return (2 * (n - 1)) / n;
    case 'all-gather':
    case 'reduce-scatter':
    case 'all-to-all':
      return (n - 1) / n;
    case 'broadcast':
    case 'reduce':
    case 'send-receive':
      return 1;
  }
}
