import { Icon } from '../../parts/icon.tsx';
import { plainText, Text } from '../../parts/text.tsx';
import type { Version } from './standing.tsx';

const CHECK_NAMES = {
  digest: 'Digest',
  signature: 'Signature',
  gate: 'Gate',
  registry: 'Registry',
  'as-given': 'Nobody vouches',
} as const;

/** What vouches for a version, in a word each. */
export function CheckTags({ of: { checks } }: { readonly of: Version }) {
  if (checks.length === 0) return <span class="none">nothing</span>;
  return (
    <>
      {checks.map(({ check, by }) => (
        <span class="tag" key={check} title={plainText(by.slice(0, 300))}>
          {CHECK_NAMES[check] ?? check}
        </span>
      ))}
    </>
  );
}

/** The same in full. */
export function CheckList({ of: { checks } }: { readonly of: Version }) {
  if (checks.length === 0) return <p class="muted">Nothing does.</p>;
  return (
    <ul class="vouched">
      {checks.map(({ check, by }) => (
        <li key={check} class={check === 'as-given' ? 'changed' : 'held'}>
          <Icon name={check === 'as-given' ? 'close' : 'done'} size={15} />
          <span>
            <b>{CHECK_NAMES[check] ?? check}</b>{' '}
            <span class="muted">
              <Text of={shortened(by)} most={120} />
            </span>
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Digests within a sentence by their first characters: enough to compare by eye. */
function shortened(by: string): string {
  return by.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}
