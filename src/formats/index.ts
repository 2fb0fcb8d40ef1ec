export { descriptionJsonSchema, descriptionSchema, type Description } from './description-schema.js';
export { formatDescription, parseDescription } from './parse-description.js';
export { describedJob, describedModel, expandDescription } from './expand-description.js';
export { formatFabricJson, parseFabricJson } from './fabric-json.js';
export { parseModelConfig } from './model-config.js';
export { FABRIC_FORMATS, readFabric, type FabricFormat } from './read-fabric.js';
export { parseNcclTopology } from './nccl-topology-xml.js';
