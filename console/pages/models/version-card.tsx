import type { ModelStatus } from '../../../src/gateway/backend/model-status.ts';
import { Badge } from '../../parts/badge.tsx';
import { Card } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Facts } from '../../parts/field.tsx';
import { Text } from '../../parts/text.tsx';
import { CheckList } from './checks.tsx';
import { Evidence } from './evidence.tsx';
import { Load, type Version } from './standing.tsx';

/** A version: what vouches for it, what it takes and gives, and how it holds under attack. */
export function VersionCard({ model, of }: { readonly model: ModelStatus; readonly of: Version }) {
  const role =
    of.version === model.use
      ? 'In service'
      : of.version === model.canary?.version
        ? 'Canary'
        : of.version === model.shadow?.version
          ? 'Shadow'
          : of.version === model.previous?.version
            ? 'The one before'
            : 'Loaded';
  const { inputs, outputs, platform } = of.metadata;
  return (
    <Card
      title={
        <>
          Version <Text of={of.version} most={40} />
        </>
      }
      side={
        <>
          <Badge tone={role === 'In service' ? 'held' : role === 'Canary' ? 'warn' : 'rest'}>{role}</Badge>
          {of.stopped !== undefined && <Badge tone="changed">Stopped</Badge>}
        </>
      }
      {...(of.stopped === undefined ? {} : { tone: 'alarmed' as const })}
    >
      {of.stopped !== undefined && (
        <p class="problem-line">
          <Text of={of.stopped} most={300} />
        </p>
      )}
      <div class="columns version">
        <div>
          <h3>What vouches for it</h3>
          <CheckList of={of} />
          {of.notes.length > 0 && (
            <ul class="notes muted">
              {of.notes.map((note) => (
                <li key={note}>
                  <Text of={note} most={200} />
                </li>
              ))}
            </ul>
          )}
          <Facts
            of={[
              ['Digest', <Digest key="d" of={of.digest} most={16} />],
              ['Platform', <Text key="p" of={platform} most={40} />],
              [
                'Takes',
                inputs.map((each) => (
                  <span class="tensor" key={each.name}>
                    <Text of={each.name} most={24} /> {each.datatype} [
                    {each.shape.map((n) => (n < 0 ? 'n' : n)).join(', ')}]
                  </span>
                )),
              ],
              [
                'Gives',
                outputs.map((each) => (
                  <span class="tensor" key={each.name}>
                    <Text of={each.name} most={24} /> {each.datatype} [
                    {each.shape.map((n) => (n < 0 ? 'n' : n)).join(', ')}]
                  </span>
                )),
              ],
              ['Busy', <Load key="l" of={of} />],
            ]}
          />
        </div>
        <Evidence digest={of.digest} />
      </div>
    </Card>
  );
}
