import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function DriftPage(_: PageProps) {
  return <Opening title="Drift">Not here yet.</Opening>;
}
