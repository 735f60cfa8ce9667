import type { AssessmentRow, Page } from '../../../src/gateway/console/api.ts';
import { useQuery } from '../../data/query.ts';
import { Empty } from '../../parts/empty.tsx';
import { count, counted } from '../../parts/format.ts';
import { RobustnessChart } from '../../parts/robustness-chart.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { Link, pathTo } from '../../shell/router.tsx';

/** The newest assessment of exactly these bytes. */
export function Evidence({ digest }: { readonly digest: string }) {
  const list = useQuery<Page<AssessmentRow>>(`/api/assessments?find=${encodeURIComponent(digest)}`);
  const rows = (list.data?.rows ?? []).filter((row) => row.root === digest || row.digest === digest);
  const [newest] = rows;
  return (
    <div>
      <h3>How it holds under attack</h3>
      {list.loading ? (
        <p class="muted">Looking for an assessment …</p>
      ) : newest === undefined ? (
        <Empty title="No assessment of these bytes" icon="assessments">
          <code>glacis assess</code> attacks the file and writes a report; put it into the folder that{' '}
          <code>serve: console: assessments:</code> names.
        </Empty>
      ) : (
        <>
          <RobustnessChart clean={newest.cleanAccuracy} points={newest.robust} />
          <p class="muted small">
            {count(newest.n)} samples of <Text of={newest.data} most={40} />, <Time at={newest.at} />.{' '}
            <Link to={pathTo('assessments', newest.id)}>The whole assessment</Link>
            {rows.length > 1 && `, and ${counted(rows.length - 1, 'older one')}`}
          </p>
          {newest.findings.length > 0 && (
            <p class="small">
              {newest.findings.slice(0, 4).map((finding) => (
                <span key={finding.id} class="tag">
                  <Text of={finding.title} most={60} />
                </span>
              ))}
            </p>
          )}
        </>
      )}
    </div>
  );
}
