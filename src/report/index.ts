export { formatPlanText, formatTable, type TextStyle } from './text-report.js';
export { formatPlanMarkdown } from './markdown-report.js';
export { formatPlanHtml } from './html-report.js';
export { breakdownChart, curveChart, efficiencyChart, type ChartBar, type ChartSeries, type CurvePoint } from './charts.js';
export { siteMap } from './site-map.js';
export type { PlanReport, ReportLink, ReportPlacement, ReportSite, StudyReport } from './types.js';
