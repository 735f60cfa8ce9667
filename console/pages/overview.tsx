import type { Overview } from '../../src/gateway/console/api.ts';
import { useQuery } from '../data/query.ts';
import { Card } from '../parts/card.tsx';
import { CaseRow } from '../parts/case-row.tsx';
import { counted } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Measures } from '../parts/measures.tsx';
import { TakeMeasure } from '../parts/take-measure/take-measure.tsx';
import { Link } from '../shell/router.tsx';
import { GatewayState } from './overview/gateway-state.tsx';
import { Served } from './overview/served.tsx';
import { Totals } from './overview/totals.tsx';
import { Verdict } from './overview/verdict.tsx';

const RANK = { critical: 0, high: 1, medium: 2, low: 3 } as const;

/** What is served, whether it is well, and what needs a person. */
export default function OverviewPage() {
  const overview = useQuery<Overview>('/api/overview', { every: 10_000 });
  return (
    <Loaded query={overview} what="the overview" lines={8}>
      {(data) => <Whole of={data} />}
    </Loaded>
  );
}

function Whole({ of }: { readonly of: Overview }) {
  const cases = [...of.cases].sort(
    (a, b) =>
      Number(a.state === 'contained') - Number(b.state === 'contained') ||
      RANK[a.severity] - RANK[b.severity] ||
      b.updated - a.updated,
  );
  return (
    <>
      <Verdict of={of} cases={cases} />
      {(cases.length > 0 || of.reviews > 0) && (
        <Card title="What needs you" side={<Link to="/cases">All cases</Link>}>
          <ul class="case-list">
            {cases.slice(0, 6).map((each) => (
              <CaseRow key={each.id} of={each} />
            ))}
          </ul>
          {of.reviews > 0 && (
            <p class="reviews-waiting">
              <Icon name="review" />{' '}
              <Link to="/review">
                {counted(of.reviews, 'answer is', 'answers are')} held until a person decides
              </Link>
            </p>
          )}
        </Card>
      )}
      <Totals of={of} />
      <div class="columns wide-left">
        <div class="stackup">
          {of.models.length > 0 && <Served of={of.models} />}
          <GatewayState of={of} />
        </div>
        <div class="stackup">
          <Card title="Measures in force">
            {of.orders.length === 0 ? (
              <p class="muted">None: everybody is served as the configuration says.</p>
            ) : (
              <Measures orders={of.orders} />
            )}
            <div class="actions">
              <TakeMeasure />
            </div>
          </Card>
        </div>
      </div>
    </>
  );
}
