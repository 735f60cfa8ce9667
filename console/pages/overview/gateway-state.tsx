import type { Overview } from '../../../src/gateway/console/api.ts';
import { Card } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { counted, titled } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { Link } from '../../shell/router.tsx';

/** Parts of the gateway, and the newest signed state of its log. */
export function GatewayState({ of: { health, log, since } }: { readonly of: Overview }) {
  return (
    <Card
      title="The gateway"
      side={
        <span class="muted small">
          since <Time at={since} />
        </span>
      }
    >
      <ul class="health">
        {health.map(({ part, ok, because }) => (
          <li key={part} class={ok ? 'held' : 'changed'}>
            <Icon name={ok ? 'done' : 'close'} size={15} />
            <span>
              <Text of={titled(part)} most={40} />
              {!ok && (
                <span class="muted">
                  {' '}
                  <Text of={because} most={160} />
                </span>
              )}
              <span class="unseen">{ok ? ' is well' : ' is not well'}</span>
            </span>
          </li>
        ))}
      </ul>
      <p class="log-line">
        <Icon name="ledger" size={16} />
        <span>
          <Link to="/ledger">{counted(log.size, 'entry', 'entries')} in the ledger</Link>, signed{' '}
          <Time at={log.at} />: <Digest of={log.root} most={10} />
        </span>
      </p>
    </Card>
  );
}
