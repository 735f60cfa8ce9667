import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function ReviewPage(_: PageProps) {
  return <Opening title="Review">Not here yet.</Opening>;
}
