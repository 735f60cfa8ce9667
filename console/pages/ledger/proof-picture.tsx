import { hexOf } from '../../proof/bytes.ts';
import type { Verdict } from '../../proof/verify-receipt.ts';

/** Height of a level of the drawing. */
const LEVEL = 34;
const TOP = 30;
const WIDTH = 470;

/** The way from the entry's hash up to the signed root, as it was computed here: what was hashed together, and whether the end is what was signed. */
export function ProofPicture({ of }: { readonly of: Verdict }) {
  const { leaf, way, checkpoint, receipt } = of;
  if (leaf === undefined || way === undefined || checkpoint === undefined || receipt === undefined)
    return null;
  const levels = way.length;
  const height = TOP * 2 + levels * LEVEL + 26;
  const root = way.at(-1)?.parent ?? leaf;
  const isRight = hexOf(root) === hexOf(checkpoint.root);
  // The way leans to where the leaf is, and comes back to the middle at the root.
  const x = (level: number) =>
    WIDTH / 2 + ((levels - level) / Math.max(1, levels)) * 54 * sideOf(receipt.index);
  const y = (level: number) => height - TOP - level * LEVEL;
  return (
    <figure class="proof-picture">
      <svg
        viewBox={`0 0 ${WIDTH} ${height}`}
        role="img"
        aria-label={`${levels} steps from entry ${receipt.index} to the root of ${checkpoint.size} entries: the root ${isRight ? 'is the signed one' : 'is not the signed one'}`}
      >
        {way.map(({ side, neighbour }, level) => {
          const to = x(level) + (side === 'left' ? -96 : 96);
          return (
            <g key={level}>
              <line class="branch" x1={to} y1={y(level)} x2={x(level + 1)} y2={y(level + 1)} />
              <line
                class={`branch way ${isRight ? 'held' : 'changed'}`}
                x1={x(level)}
                y1={y(level)}
                x2={x(level + 1)}
                y2={y(level + 1)}
              />
              <circle class="neighbour" cx={to} cy={y(level)} r="6" />
              <text
                class="hash"
                x={to + (side === 'left' ? -12 : 12)}
                y={y(level) + 4}
                text-anchor={side === 'left' ? 'end' : 'start'}
              >
                {short(neighbour)}
              </text>
            </g>
          );
        })}
        {[...way.map(({ parent }) => parent)].map((_, level) => (
          <circle
            key={level}
            class={`step ${isRight ? 'held' : 'changed'}`}
            cx={x(level + 1)}
            cy={y(level + 1)}
            r="6.5"
          />
        ))}
        <rect class="leaf" x={x(0) - 9} y={y(0) - 9} width="18" height="18" rx="4" />
        <text class="word" x={x(0)} y={y(0) + 25} text-anchor="middle">
          entry {receipt.index.toLocaleString('en-US')} · {short(leaf)}
        </text>
        <text class="word" x={WIDTH / 2} y={y(levels) - 15} text-anchor="middle">
          {isRight ? 'root, as it was signed' : 'not the signed root'} · {short(root)}
        </text>
      </svg>
      {!isRight && (
        <figcaption class="muted small">
          Signed was <code>{short(checkpoint.root)}</code>.
        </figcaption>
      )}
    </figure>
  );
}

function sideOf(index: number): 1 | -1 {
  return index % 2 === 1 ? 1 : -1;
}

function short(bytes: Uint8Array): string {
  return `${hexOf(bytes).slice(0, 8)}…`;
}
