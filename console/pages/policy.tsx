import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function PolicyPage(_: PageProps) {
  return <Opening title="Policy">Not here yet.</Opening>;
}
