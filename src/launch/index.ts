export { launchFiles, FRAMEWORKS, type Framework, type LaunchFiles, type LaunchOptions } from './launch-files.js';
export { hostOfId, rankMap, type HostNamer, type LaunchRank, type RankMap } from './rank-map.js';
export { compressHostlist } from '../fabric/hostlist.js';
