import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function AlertsPage(_: PageProps) {
  return <Opening title="Alerts">Not here yet.</Opening>;
}
