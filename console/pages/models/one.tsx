import type { ModelStatus } from '../../../src/gateway/backend/model-status.ts';
import type { Overview } from '../../../src/gateway/console/api.ts';
import { useQuery } from '../../data/query.ts';
import { Opening } from '../../parts/card.tsx';
import { count } from '../../parts/format.ts';
import { TakeMeasure } from '../../parts/take-measure/take-measure.tsx';
import { Text } from '../../parts/text.tsx';
import { Link } from '../../shell/router.tsx';
import { Recheck } from './recheck.tsx';
import { Rollout } from './rollout.tsx';
import { inService } from './standing.tsx';
import { VersionCard } from './version-card.tsx';

/** One model: how it stands, what may be done, and its versions. */
export function One({ of }: { readonly of: ModelStatus }) {
  const now = inService(of);
  const { data: overview } = useQuery<Overview>('/api/overview');
  const rate = overview?.models.find(({ model }) => model === of.model);
  return (
    <>
      <p class="way-back">
        <Link to="/models">Models</Link>
      </p>
      <Opening
        chip={now?.stopped !== undefined ? 'Stopped' : rate?.alarmed ? 'Alarmed' : 'Answering'}
        tone={now?.stopped !== undefined || rate?.alarmed ? 'changed' : 'held'}
        title={<Text of={of.model} most={60} />}
        side={
          <div class="actions">
            <Recheck />
            <TakeMeasure about={{ measure: 'pause', who: 'everybody', model: of.model }} />
          </div>
        }
      >
        {now?.stopped !== undefined ? (
          <Text of={now.stopped} most={300} />
        ) : (
          <>
            Version{' '}
            <b>
              <Text of={of.use} most={24} />
            </b>{' '}
            answers
            {rate !== undefined &&
              `, ${rate.perSecond < 10 ? rate.perSecond.toFixed(1) : count(rate.perSecond)} requests a second`}
            .{' '}
            {rate?.alarmed && (
              <Link to={`/drift?model=${encodeURIComponent(of.model)}`}>
                A monitor is beyond its threshold.
              </Link>
            )}
          </>
        )}
      </Opening>
      <Rollout of={of} />
      {of.versions
        .toSorted((a, b) => Number(b.version === of.use) - Number(a.version === of.use))
        .map((version) => (
          <VersionCard key={version.version} model={of} of={version} />
        ))}
    </>
  );
}
