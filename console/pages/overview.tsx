import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function OverviewPage(_: PageProps) {
  return <Opening title="Overview">Not here yet.</Opening>;
}
