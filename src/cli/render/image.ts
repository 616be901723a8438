/** Portable service images: what is in one, and which there are. Pure. */
import type { ImageContents } from '../image/read-image.ts';
import { type ColumnOf, type Field, renderFields, renderList, renderRows, type TableLayout } from './table.ts';
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

const VERDICTS = { attached: 'yes', 'left out': 'no', refused: 'refused' } as const;
const UNIT_COLUMNS: readonly ColumnOf<InspectedUnit>[] = [
  { title: 'UNIT', cell: ({ name }) => name },
  { title: 'ATTACH', whole: true, cell: ({ verdict }) => VERDICTS[verdict] },
  { title: 'WHY', detail: true, cell: ({ reasons }) => reasons.join('; ') || undefined },
];

export function renderImage(inspected: InspectedImage, layout: TableLayout): string {
  const { image, extensions, service, system, prefixes, manager, units } = inspected;
  const fields: readonly Field[] = [
    ['Image', image],
    ...extensions.map((path): Field => ['Extension', path]),
    ['Service', service ?? undefined],
    ['System', system ?? '-'],
    ['Prefix', prefixes.join(' ')],
    ['Manager', manager],
  ];
  return `${renderFields(fields, layout.style)}\n${renderRows(UNIT_COLUMNS, units, layout)}`;
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

const IMAGE_COLUMNS: readonly ColumnOf<ListedImage>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'STATE', whole: true, cell: ({ state }) => state },
  { title: 'MANAGER', dispensable: 1, cell: ({ manager }) => manager ?? undefined },
  { title: 'PROFILE', dispensable: 2, cell: ({ profile }) => profile ?? undefined },
  { title: 'UNITS', detail: true, cell: ({ units }) => units.join(' ') || undefined },
  { title: 'IMAGE', detail: true, dispensable: 3, cell: ({ image, extensions }) => [image, ...extensions].join(' ') },
];

export function renderImages(images: readonly ListedImage[], layout: TableLayout): string {
  return renderList(IMAGE_COLUMNS, images, layout, { none: 'No image', totals: () => countOf(images.length, 'image') });
}
