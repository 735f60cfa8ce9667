import type { PolicyView } from '../../../src/gateway/console/api.ts';
import { Badge } from '../../parts/badge.tsx';
import { Card } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { titled } from '../../parts/format.ts';
import { Text } from '../../parts/text.tsx';

const SIDES = {
  public: ['Callers', 'Who may ask which model, and how much they are told.'],
  management: ['People here', 'Who may do what on the management side and in this console.'],
} as const;

/** Rules of both sides as they are in force. */
export function Rights({ rights }: { readonly rights: PolicyView['rights'] }) {
  return (
    <div class="columns">
      {rights.map(({ side, digest, policies, problem }) => (
        <Card key={side} title={SIDES[side][0]} lead={SIDES[side][1]} side={<Digest of={digest} />}>
          {problem !== undefined && (
            <p class="notice" role="alert">
              Newer rules are not in force: <Text of={problem} most={400} />
            </p>
          )}
          <ul class="rules">
            {policies.map(({ id, effect, text }) => (
              <li key={id}>
                <details>
                  <summary>
                    <Badge tone={effect === 'permit' ? 'held' : 'changed'}>{titled(effect)}</Badge>{' '}
                    <Text of={id} />
                  </summary>
                  <pre>
                    <code>{text}</code>
                  </pre>
                </details>
              </li>
            ))}
          </ul>
        </Card>
      ))}
    </div>
  );
}
