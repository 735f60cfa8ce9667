import type { ModelStatus } from '../../../src/gateway/backend/model-status.ts';
import { Badge } from '../../parts/badge.tsx';
import { counted } from '../../parts/format.ts';

/** A version of a model. */
export type Version = ModelStatus['versions'][number];

/** The version that answers. */
export function inService({ versions, use }: ModelStatus): Version | undefined {
  return versions.find(({ version }) => version === use);
}

/** Whether it answers. */
export function Standing({ of }: { readonly of: Version | undefined }) {
  if (of === undefined) return <Badge tone="changed">Not loaded</Badge>;
  if (of.stopped !== undefined) return <Badge tone="changed">Stopped</Badge>;
  return of.load.circuit === 'open' ? (
    <Badge tone="changed">Upstream down</Badge>
  ) : (
    <Badge tone="held">Answering</Badge>
  );
}

/** What is under way. */
export function Load({ of: { load } }: { readonly of: Version }) {
  return (
    <>
      {counted(load.open, 'request')} open, {counted(load.waiting, 'sample waits', 'samples wait')}
      {load.circuit !== undefined &&
        `; upstream ${load.circuit === 'closed' ? 'asked' : load.circuit === 'open' ? 'left alone' : 'tried'}`}
    </>
  );
}
