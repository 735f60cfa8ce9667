import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function AssessmentsPage(_: PageProps) {
  return <Opening title="Assessments">Not here yet.</Opening>;
}
