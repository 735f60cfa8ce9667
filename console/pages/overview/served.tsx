import type { Overview } from '../../../src/gateway/console/api.ts';
import { useMay } from '../../data/session.ts';
import { Badge } from '../../parts/badge.tsx';
import { Card } from '../../parts/card.tsx';
import { count, share, span } from '../../parts/format.ts';
import { Text } from '../../parts/text.tsx';
import { Link, pathTo } from '../../shell/router.tsx';

/** Each model that is served: whether it is well, how much it is asked, how quick it is. */
export function Served({ of }: { readonly of: Overview['models'] }) {
  const maySee = useMay('models.list');
  return (
    <Card title="Models" side={maySee && <Link to="/models">Versions and evidence</Link>}>
      <ul class="model-list">
        {of.map((each) => {
          const version = each.versions.find(({ version: name }) => name === each.use);
          return (
            <li key={each.model} data-row="">
              <div>
                <p class="model-name">
                  <Link to={pathTo('models', each.model)}>
                    <Text of={each.model} most={40} />
                  </Link>{' '}
                  <span class="muted small">
                    version <Text of={each.use} most={24} />
                  </span>
                </p>
                <p class="small">
                  {version?.stopped !== undefined ? (
                    <Badge tone="changed">Stopped</Badge>
                  ) : each.alarmed ? (
                    <Badge tone="changed">A monitor is alarmed</Badge>
                  ) : (
                    <Badge tone="held">Well</Badge>
                  )}{' '}
                  {each.canary && (
                    <Badge tone="warn">
                      {share(each.canary.share)} of the clients on version{' '}
                      <Text of={each.canary.version} most={16} />
                    </Badge>
                  )}
                </p>
              </div>
              <p class="rate">
                <b>{each.perSecond < 10 ? Number(each.perSecond.toFixed(1)) : count(each.perSecond)}</b>{' '}
                <span class="muted small">requests a second</span>
              </p>
              <p class="rate">
                <b>{each.p99 === undefined ? '–' : span(each.p99)}</b>{' '}
                <span class="muted small" title="99 of 100 answers come within this time">
                  99 of 100 within
                </span>
              </p>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
