import type { Overview } from '../../../src/gateway/console/api.ts';
import { passedOf, sinceBegun } from '../../parts/begun.ts';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { change, count, percent, short } from '../../parts/format.ts';
import { SeriesChart } from '../../parts/series-chart.tsx';
import { Stat, Stats } from '../../parts/stat.tsx';
import { Link } from '../../shell/router.tsx';

const MINUTE = 60_000;

/** The last hour in figures, and the last day as a line. */
export function Totals({ of: { hour, before, day, now } }: { readonly of: Overview }) {
  const held = (now: number, then: number) => {
    const words = change(now, then);
    return words === undefined
      ? 'none in the hour before'
      : words === 'the same'
        ? 'as in the hour before'
        : `${words} against the hour before`;
  };
  const step = day.length > 1 ? day[1]![0] - day[0]![0] : MINUTE;
  const shown = sinceBegun(day, ([, answered, refused]) => answered + refused === 0);
  const perMinute = (n: number, at: number) => (n * MINUTE) / passedOf(step, at, now);
  return (
    <Card title="The last hour, and the day" side={<Link to="/traffic">Traffic</Link>}>
      <Stats>
        <Stat
          value={short(hour.requests)}
          title={count(hour.requests)}
          what="requests"
          note={held(hour.requests, before.requests)}
        />
        <Stat
          value={short(hour.refused)}
          title={count(hour.refused)}
          what="refused"
          tone={
            hour.refused > before.refused * 1.5 && hour.refused > hour.requests / 10 ? 'changed' : undefined
          }
          note={`${percent(hour.refused / Math.max(1, hour.requests))} of requests`}
        />
        <Stat
          value={short(hour.flagged)}
          title={count(hour.flagged)}
          what="flagged"
          note={held(hour.flagged, before.flagged)}
        />
        <Stat
          value={short(hour.clients)}
          title={count(hour.clients)}
          what="clients"
          note={held(hour.clients, before.clients)}
        />
      </Stats>
      {day.some(([, answered, refused]) => answered + refused > 0) ? (
        <div class="day">
          <SeriesChart
            label="Requests a minute, the last 24 hours"
            height={160}
            at={shown.map(([at]) => at)}
            series={[
              {
                name: 'answered a minute',
                tone: 'held',
                look: 'area',
                values: shown.map(([at, answered]) => perMinute(answered, at)),
                unit: short,
              },
              {
                name: 'refused or held a minute',
                tone: 'changed',
                look: 'area',
                values: shown.map(([at, , refused]) => perMinute(refused, at)),
                unit: short,
              },
            ]}
          />
        </div>
      ) : (
        <Empty title="No requests yet" icon="traffic">
          As soon as a client asks a model, its requests are counted here.
        </Empty>
      )}
    </Card>
  );
}
