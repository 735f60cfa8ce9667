import type { ComponentType } from 'preact';
import type { IconName } from '../parts/icon.tsx';

/** What a page gets: the parts of its path after its own name, decoded, and what follows `?`. */
export interface PageProps {
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

/** A page: the module that it is in exports it as `default`. */
export interface Route {
  /** The first part of the path; empty for the first page. */
  readonly id: string;
  readonly title: string;
  readonly group: 'Now' | 'Watch' | 'Proof' | 'Rules';
  readonly icon: IconName;
  /** Pressed after `g`. */
  readonly key: string;
  /** Without this right (an action of the management side) it is not in the navigation. */
  readonly needs: string | undefined;
  readonly load: () => Promise<{ readonly default: ComponentType<PageProps> }>;
}

/** All pages, in the order of the navigation. */
export const ROUTES: readonly Route[] = [
  {
    id: '',
    title: 'Overview',
    group: 'Now',
    icon: 'overview',
    key: 'o',
    needs: undefined,
    load: () => import('../pages/overview.tsx'),
  },
  {
    id: 'cases',
    title: 'Cases',
    group: 'Now',
    icon: 'cases',
    key: 'c',
    needs: 'incident.read',
    load: () => import('../pages/cases.tsx'),
  },
  {
    id: 'review',
    title: 'Review',
    group: 'Now',
    icon: 'review',
    key: 'r',
    needs: 'reviews.list',
    load: () => import('../pages/review.tsx'),
  },
  {
    id: 'traffic',
    title: 'Traffic',
    group: 'Watch',
    icon: 'traffic',
    key: 't',
    needs: undefined,
    load: () => import('../pages/traffic.tsx'),
  },
  {
    id: 'drift',
    title: 'Drift',
    group: 'Watch',
    icon: 'drift',
    key: 'd',
    needs: undefined,
    load: () => import('../pages/drift.tsx'),
  },
  {
    id: 'models',
    title: 'Models',
    group: 'Watch',
    icon: 'models',
    key: 'm',
    needs: 'models.list',
    load: () => import('../pages/models.tsx'),
  },
  {
    id: 'ledger',
    title: 'Ledger',
    group: 'Proof',
    icon: 'ledger',
    key: 'l',
    needs: 'log.read',
    load: () => import('../pages/ledger.tsx'),
  },
  {
    id: 'assessments',
    title: 'Assessments',
    group: 'Proof',
    icon: 'assessments',
    key: 'a',
    needs: undefined,
    load: () => import('../pages/assessments.tsx'),
  },
  {
    id: 'lab',
    title: 'Lab',
    group: 'Proof',
    icon: 'lab',
    key: 'x',
    needs: undefined,
    load: () => import('../pages/lab.tsx'),
  },
  {
    id: 'policy',
    title: 'Policy',
    group: 'Rules',
    icon: 'policy',
    key: 'p',
    needs: 'policy.read',
    load: () => import('../pages/policy.tsx'),
  },
  {
    id: 'people',
    title: 'People & keys',
    group: 'Rules',
    icon: 'people',
    key: 'k',
    needs: 'keys.list',
    load: () => import('../pages/people.tsx'),
  },
  {
    id: 'alerts',
    title: 'Alerts',
    group: 'Rules',
    icon: 'alerts',
    key: 'n',
    needs: 'incident.read',
    load: () => import('../pages/alerts.tsx'),
  },
];

/** The page of a path's first part. */
export function routeOf(id: string): Route | undefined {
  return ROUTES.find((route) => route.id === id);
}
