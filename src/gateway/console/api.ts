/**
 * What the management side answers to the console, as JSON: types alone, so that the pages in the browser and the server cannot disagree. All lists are paged by the
 * server: `next` is what to ask for as `?before=`; undefined at the end. Times are milliseconds since 1970.
 *
 * The pages are under `/console/`: files with a hash in their name under `/console/assets/`, and `index.html` for every other path there (a page's address is a path,
 * such as `/console/cases/C-2026-0007`). A one-time link is `/console/#link=…`: what stands after `#` never reaches a log.
 */
export type * from './api/alerts.ts';
export type * from './api/assessments.ts';
export type * from './api/cases.ts';
export type * from './api/decisions.ts';
export type * from './api/lab.ts';
export type * from './api/live-event.ts';
export type * from './api/models.ts';
export type * from './api/monitors.ts';
export type * from './api/orders.ts';
export type * from './api/overview.ts';
export type * from './api/page.ts';
export type * from './api/people.ts';
export type * from './api/policy.ts';
export type * from './api/session.ts';
export type * from './api/traffic.ts';
