/** Portable service images: what is in one, and which there are. Pure. */
import type { ImageContents } from '../image/read-image.ts';
import { type Column, renderFields, renderTable, type TableLayout } from './table.ts';
import { countOf, printable } from './text.ts';

/** Also the JSON of inspect. */
export interface InspectedImage {
  readonly image: string;
  readonly name: string;
  /** images that are laid over it */
  readonly extensions: readonly string[];
  /** PORTABLE_PRETTY_NAME= of os-release(5) */
  readonly service: string | null;
  readonly system: string | null;
  readonly prefixes: readonly string[];
  readonly manager: string;
  readonly units: readonly InspectedUnit[];
}

export interface InspectedUnit {
  readonly name: string;
  readonly verdict: 'attached' | 'left out' | 'refused';
  readonly reasons: readonly string[];
}

/** Also the JSON of list. */
export interface ListedImage {
  readonly name: string;
  readonly state: string;
  readonly manager: string | null;
  readonly profile: string | null;
  readonly units: readonly string[];
  readonly image: string;
  readonly extensions: readonly string[];
}

const UNIT_COLUMNS: readonly Column[] = [
  { title: 'UNIT' },
  { title: 'ATTACH', whole: true },
  { title: 'WHY', detail: true },
];

export function renderImage(
  { image, extensions, service, system, prefixes, manager, units }: InspectedImage,
  layout: TableLayout,
): string {
  const fields: readonly (readonly [label: string, value: string])[] = [
    ['Image', printable(image)],
    ...extensions.map(path => ['Extension', printable(path)] as const),
    ...(service === null ? [] : [['Service', printable(service)] as const]),
    ['System', printable(system ?? '-')],
    ['Prefix', printable(prefixes.join(' '))],
    ['Manager', manager],
  ];
  const words = { attached: 'yes', 'left out': 'no', refused: 'refused' } as const;
  const rows = units.map(({ name, verdict, reasons }) => [
    printable(name),
    words[verdict],
    printable(reasons.join('; ')) || '-',
  ]);
  return `${renderFields(fields, layout.style)}\n${renderTable(UNIT_COLUMNS, rows, layout)}`;
}

/** The files as they are, but for what would drive a terminal. */
export function renderContents({ release, extensions, units }: ImageContents): string {
  const file = (title: string, bytes: Buffer): string => {
    const lines = bytes.toString('utf8').replace(/\n$/, '').split('\n');
    return `-- ${title} --\n${lines.map(line => `${printable(line)}\n`).join('')}`;
  };
  const releases = extensions.map(each => file(`extension-release of ${each.image.name}`, each.release));
  return [file('os-release', release), ...releases, ...units.map(({ name, bytes }) => file(name, bytes))].join('\n');
}

const IMAGE_COLUMNS: readonly Column[] = [
  { title: 'NAME' },
  { title: 'STATE', whole: true },
  { title: 'MANAGER', dispensable: 1 },
  { title: 'PROFILE', dispensable: 2 },
  { title: 'UNITS', detail: true },
  { title: 'IMAGE', detail: true, dispensable: 3 },
];

export function renderImages(images: readonly ListedImage[], layout: TableLayout): string {
  if (images.length === 0) {
    return layout.legend ? 'No image.\n' : '';
  }
  const rows = images.map(({ name, state, manager, profile, units, image, extensions }) => [
    printable(name),
    state,
    manager ?? '-',
    printable(profile ?? '-'),
    printable(units.join(' ')) || '-',
    printable([image, ...extensions].join(' ')),
  ]);
  return `${renderTable(IMAGE_COLUMNS, rows, layout)}${layout.legend ? `\n${countOf(images.length, 'image')}.\n` : ''}`;
}
