import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function LabPage(_: PageProps) {
  return <Opening title="Lab">Not here yet.</Opening>;
}
