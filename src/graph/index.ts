export { fromGraphology, toGraphology } from '../fabric/graph.js';
export { findPath, type FoundPath } from '../routes/find-path.js';
