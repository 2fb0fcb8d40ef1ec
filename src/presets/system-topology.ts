/** How the nodes of a system are joined: the name of a builder with its options. */
export type SystemTopology =
  | { readonly kind: 'leaf-spine'; readonly nodesPerLeaf?: number; readonly spines?: number; readonly oversubscription?: number }
  | { readonly kind: 'rail-optimised'; readonly nodesPerUnit?: number; readonly unitsPerPod?: number; readonly spinesPerPod?: number; readonly cores?: number; readonly oversubscription?: number; readonly coreOversubscription?: number }
  | { readonly kind: 'fat-tree'; readonly k?: number; readonly oversubscription?: number }
  | { readonly kind: 'dragonfly'; readonly nodesPerGroup: number; readonly switchesPerGroup?: number; readonly groupTaper?: number; readonly globalTaper?: number }
  | { readonly kind: 'dragonfly+'; readonly nodesPerGroup: number; readonly switchesPerGroup?: number; readonly spinesPerGroup?: number; readonly groupTaper?: number; readonly globalTaper?: number }
  | { readonly kind: 'torus'; readonly dimensions: readonly number[] };
