import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function PeoplePage(_: PageProps) {
  return <Opening title="People">Not here yet.</Opening>;
}
