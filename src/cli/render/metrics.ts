/**
 * Metrics as text: OpenMetrics (the OpenMetrics specification, 1.0), or the older text format of Prometheus, which node_exporter's
 * textfile collector and promtool(1) read. They differ in what a counter is called where its type is said, and in the last line. Pure.
 */
import { BUCKET_BOUND, HISTOGRAM_PARTS } from '../../core/metrics.ts';
import type { MetricFamily } from '../metrics-source.ts';

type MetricsFormat = 'openmetrics' | 'prometheus';

const PREFIX = 'dynuser_';
const PARTS = [HISTOGRAM_PARTS.bucket, HISTOGRAM_PARTS.sum, HISTOGRAM_PARTS.count] as const;

export function renderMetrics(families: readonly MetricFamily[], format: MetricsFormat): string {
  const byName = new Map(families.map(family => [family.name, family]));
  const text = families.map(family => {
    const histogram = histogramOf(family.name, byName);
    if (histogram === undefined) {
      return renderFamily(family, format);
    }
    // Its parts come together, with its buckets.
    return family.name.endsWith(HISTOGRAM_PARTS.bucket) ? renderHistogram(histogram) : '';
  });
  return text.join('') + (format === 'openmetrics' ? '# EOF\n' : '');
}

/** @returns the three parts of the histogram that a family is one of, and its name */
function histogramOf(name: string, byName: ReadonlyMap<string, MetricFamily>) {
  const part = PARTS.find(suffix => name.endsWith(suffix));
  const base = part === undefined ? '' : name.slice(0, -part.length);
  const [buckets, sum, count] = PARTS.map(suffix => byName.get(base + suffix));
  const isWhole = part !== undefined && buckets !== undefined && sum !== undefined && count !== undefined;
  return isWhole && buckets.samples.every(({ fields }) => BUCKET_BOUND in fields)
    ? { base, buckets, sum, count }
    : undefined;
}

function renderFamily({ name, type, description, samples }: MetricFamily, format: MetricsFormat): string {
  const snake = PREFIX + snakeCase(name);
  const sampled = type === 'counter' ? `${snake}_total` : snake;
  const family = format === 'prometheus' ? sampled : snake;
  const lines = samples.map(({ fields, value }) => line(sampled, fields, value));
  return head(family, type === 'string' ? 'unknown' : type, description) + lines.join('');
}

function renderHistogram({ base, buckets, sum, count }: NonNullable<ReturnType<typeof histogramOf>>): string {
  const name = PREFIX + snakeCase(base);
  return [
    head(name, 'histogram', buckets.description),
    ...buckets.samples.map(({ fields, value }) => line(`${name}_bucket`, fields, value)),
    ...sum.samples.map(({ fields, value }) => line(`${name}_sum`, fields, value)),
    ...count.samples.map(({ fields, value }) => line(`${name}_count`, fields, value)),
  ].join('');
}

function head(name: string, type: string, description: string): string {
  return `# TYPE ${name} ${type}\n# HELP ${name} ${escapeText(description)}.\n`;
}

function line(name: string, fields: Readonly<Record<string, string>>, value: number): string {
  const labels = Object.entries(fields).map(([label, text]) => `${snakeCase(label)}="${escapeLabel(text)}"`);
  return `${name}${labels.length === 0 ? '' : `{${labels.join(',')}}`} ${value}\n`;
}

function snakeCase(name: string): string {
  return name
    .replace(/(?<=[a-z0-9])[A-Z]/g, letter => `_${letter}`)
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_');
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeText(text).replaceAll('"', '\\"');
}
