import type { ScanContext } from '../scanner.ts';
import { ONNX_RULES } from './onnx-rules.ts';

/** What a tensor claims of an external file; the numbers as the model writes them. */
export interface ExternalClaim {
  readonly name: string;
  readonly offset: string;
  readonly length: string;
}

/** Holds each external file's place and size against what the tensors claim; those that are well are vouched for. */
export async function checkExternalData(
  locations: ReadonlyMap<string, readonly ExternalClaim[]>,
  context: ScanContext,
): Promise<void> {
  for (const [location, claims] of locations) {
    context.budget.step(claims.length);
    const shown = `${claims[0]?.name}: ${JSON.stringify(location)}`;
    const steps = location.split(/[/\\]/);
    if (/^[/\\]|^[A-Za-z]:|^\w+:\/\/|^~|\0/.test(location) || steps.includes('..')) {
      context.report(ONNX_RULES.escape, shown);
      continue;
    }
    if (context.siblings === undefined) {
      context.report(ONNX_RULES.missing, `${shown}, and nothing lies beside the model`);
      continue;
    }
    let size: number;
    try {
      const file = await context.siblings.open(location);
      ({ size } = file);
      await file.close();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      context.report(/\blink/.test(reason) ? ONNX_RULES.link : ONNX_RULES.missing, `${shown}: ${reason}`);
      continue;
    }
    context.siblings.vouch(location);
    const bad = claims.find(({ offset, length }) => !fits(offset, length, size));
    if (bad !== undefined)
      context.report(
        ONNX_RULES.range,
        `${bad.name}: offset '${bad.offset}', length '${bad.length}' in ${size} bytes of ${location}`,
      );
  }
}

function fits(offset: string, length: string, size: number): boolean {
  if (![offset, length].every((text) => /^\d{0,15}$/.test(text))) return false;
  return Number(offset) + Number(length) <= size;
}
