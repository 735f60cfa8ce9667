import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function CasesPage(_: PageProps) {
  return <Opening title="Cases">Not here yet.</Opening>;
}
