import type { AssessmentRow } from '../../../src/gateway/console/api.ts';

const NORMS: Readonly<Record<string, string>> = { linf: 'L∞', l2: 'L2', l1: 'L1', l0: 'L0' };

/** A ball as people write it: `L∞ 8/255`. */
export function ballWords({ norm, eps }: { readonly norm: string; readonly eps: number }): string {
  return `${NORMS[norm] ?? norm} ${epsText(eps)}`;
}

/** A radius: `8/255` where that is what it is. */
export function epsText(eps: number): string {
  const short = Number(eps.toPrecision(3));
  if (Math.abs(short - eps) <= 2e-7) return String(short);
  const levels = Math.round(eps * 255);
  return levels >= 1 && levels <= 255 && Math.abs(levels / 255 - eps) < 1e-6
    ? `${levels}/255`
    : String(Number(eps.toPrecision(4)));
}

/** The norm's name. */
export function normWords(norm: string): string {
  return NORMS[norm] ?? norm;
}

/** The ball that says most of a row: the largest of the usual norms. */
export function headBall({ robust }: AssessmentRow): AssessmentRow['robust'][number] | undefined {
  return (
    robust.filter(({ norm }) => norm === 'linf').at(-1) ??
    robust.filter(({ norm }) => norm === 'l2').at(-1) ??
    robust.at(-1)
  );
}

/** The gravest severity of a row's findings. */
export function gravest({ findings }: AssessmentRow): string | undefined {
  return ['critical', 'high', 'medium', 'low'].find((each) =>
    findings.some(({ severity }) => severity === each),
  );
}
