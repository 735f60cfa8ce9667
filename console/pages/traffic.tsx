import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function TrafficPage(_: PageProps) {
  return <Opening title="Traffic">Not here yet.</Opening>;
}
