import { findPreset } from './find-preset.js';
import { GPUS, type GpuPreset } from './gpus.js';
import { LINKS, type LinkPreset } from './links.js';
import { MODELS, type ModelPreset } from './models.js';
import { NODES, type NodePreset } from './nodes.js';
import { SITES, type SitePreset } from './sites.js';
import { SYSTEMS, type SystemPreset } from './systems.js';

/** The GPU of that name. @throws FabricPlanError `unknown-name` */
export const gpuPreset = (name: string): GpuPreset => findPreset('GPU', GPUS, name, (preset) => preset.model);
/** The link technology of that name. @throws FabricPlanError `unknown-name` */
export const linkPreset = (name: string): LinkPreset => findPreset('link', LINKS, name, (preset) => preset.name);
/** The node type of that name. @throws FabricPlanError `unknown-name` */
export const nodePreset = (name: string): NodePreset => findPreset('node', NODES, name, (preset) => preset.name);
/** The model of that name. @throws FabricPlanError `unknown-name` */
export const modelPreset = (name: string): ModelPreset => findPreset('model', MODELS, name, (preset) => preset.name);
/** The system with that id. @throws FabricPlanError `unknown-name` */
export const systemPreset = (name: string): SystemPreset => findPreset('system', SYSTEMS, name, (preset) => preset.id);
/** The research-network site with that id. @throws FabricPlanError `unknown-name` */
export const sitePreset = (name: string): SitePreset => findPreset('site', SITES, name, (preset) => preset.id);
