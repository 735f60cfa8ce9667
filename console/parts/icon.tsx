/** Line drawings on a grid of 20, one path each. */
const PATHS = {
  overview: 'M3 17V9l7-6 7 6v8h-5v-5H8v5z',
  cases: 'M10 3l8 14H2zM10 8v4M10 14.2v.3',
  review: 'M3 5h6v10H3zM11 5h6v10h-6zM5 8h2M5 10.5h2M13 8h2M13 10.5h2',
  traffic: 'M2 13h3l2.5-8 4 11 2.5-6 1 3h3',
  drift: 'M2 15c3 0 3-9 6-9s3 9 6 9 3-3 4-3M2 17.5h16',
  models: 'M10 2.5l7 3.7v7.6l-7 3.7-7-3.7V6.2zM3.2 6.3L10 10l6.8-3.7M10 10v7.3',
  ledger: 'M5 3h10v14H5zM8 7h4M8 10h4M8 13h2.5',
  assessments: 'M3 3v14h14M5.5 6c4 0 4 8 10.5 8',
  lab: 'M8 3h4M8.7 3v5L4 15.6A1 1 0 0 0 4.9 17h10.2a1 1 0 0 0 .9-1.4L11.3 8V3M6.3 12.5h7.4',
  policy: 'M10 2.5l6.5 2.5v4.5c0 4-2.7 6.7-6.5 8-3.8-1.3-6.5-4-6.5-8V5zM7.3 9.8l2 2 3.5-3.8',
  people:
    'M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 16.5c0-3 2.2-4.7 5-4.7s5 1.7 5 4.7M13 9.5a2.6 2.6 0 0 0 0-5.1M14.5 12.2c1.9.5 3 2 3 4.3',
  alerts: 'M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zM8.5 17.5h3',
  search: 'M8.8 14.5a5.7 5.7 0 1 0 0-11.4 5.7 5.7 0 0 0 0 11.4zM13 13l4.3 4.3',
  menu: 'M3 5.5h14M3 10h14M3 14.5h14',
  close: 'M5 5l10 10M15 5L5 15',
  copy: 'M7 7h9v10H7zM4 13V3h9',
  done: 'M4 10.5l4 4 8-9',
  right: 'M7.5 4.5L13 10l-5.5 5.5',
  left: 'M12.5 4.5L7 10l5.5 5.5',
  up: 'M4.5 12.5L10 7l5.5 5.5',
  down: 'M4.5 7.5L10 13l5.5-5.5',
  sun: 'M10 13.3a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6zM10 2v2M10 16v2M2 10h2M16 10h2M4.4 4.4l1.4 1.4M14.2 14.2l1.4 1.4M4.4 15.6l1.4-1.4M14.2 5.8l1.4-1.4',
  moon: 'M16.5 12A7 7 0 0 1 8 3.5 7 7 0 1 0 16.5 12z',
  out: 'M12 4H4v12h8M8.5 10H17M14 7l3 3-3 3',
  person: 'M10 9.7a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3.8 17c0-3.3 2.7-5.2 6.2-5.2s6.2 1.9 6.2 5.2',
  shield: 'M10 2.5l6.5 2.5v4.5c0 4-2.7 6.7-6.5 8-3.8-1.3-6.5-4-6.5-8V5z',
  clock: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 6v4.3l3 1.7',
  download: 'M10 3v9M6 8.5l4 4 4-4M4 16.5h12',
  comment: 'M3 4h14v9H9l-4 3.5V13H3z',
  bolt: 'M11 2.5L4 11.5h5l-1 6 7.5-9.5H10z',
  plus: 'M10 4v12M4 10h12',
  back: 'M4.5 10H16M9 5l-5 5 5 5',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3L16.5 8M16.5 3.5V8H12',
  external: 'M8 4H4v12h12v-4M11 4h5v5M16 4l-7.5 7.5',
} as const;

/** A drawing's name. */
export type IconName = keyof typeof PATHS;

/** A drawing that says nothing to a screen reader: words stand beside it or on its button. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The sign of Glacis: a slope that keeps the view free. */
export function Brand({ size = 26 }: { readonly size?: number }) {
  return (
    <svg
      class="brand-sign"
      viewBox="0 0 26 26"
      width={size}
      height={size}
      aria-hidden="true"
      focusable="false"
    >
      <path class="hill" d="M1 23 L17 8 H25 V23 Z" />
      <path class="view" d="M2 15 L11 6.5" />
    </svg>
  );
}
