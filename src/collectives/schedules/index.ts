export { optimalSchedule, scheduleAlgorithm, type CollectiveSchedule, type ScheduleTree, type TreeEdge } from './optimal-schedule.js';
export { formatMscclXml } from './msccl-xml.js';
export { packAllReduceTrees, type AllReduceTreePacking } from './all-reduce-trees.js';
export { relieveCut, type CutRelief } from '../bounds/collective-optimum.js';
