export { fitLatencyBandwidth, type CollectiveFit, type MeasuredTime } from './fit-latency-bandwidth.js';
