import { Opening } from '../parts/card.tsx';
import type { PageProps } from '../shell/routes.ts';

/** To be written. */
export default function LedgerPage(_: PageProps) {
  return <Opening title="Ledger">Not here yet.</Opening>;
}
