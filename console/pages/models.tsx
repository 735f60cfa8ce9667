import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function ModelsPage(_: PageProps) {
  return <Opening title="Models">Not here yet.</Opening>;
}
