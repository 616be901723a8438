import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricFamily } from '../../../../src/cli/metrics-source.ts';
import { renderMetrics } from '../../../../src/cli/render/metrics.ts';

const family = (name: string, type: MetricFamily['type'], ...samples: MetricFamily['samples']): MetricFamily => {
  return { name, type, description: 'A "text" \\ with\nsigns', samples };
};
const FAMILIES = [
  family('FreeUids', 'gauge', { value: 4_336, fields: {} }),
  family('Acquires', 'counter', { value: 1, fields: { result: 'a"b' } }, { value: 2, fields: { result: 'c' } }),
  family('WaitSecondsBucket', 'counter', { value: 1, fields: { le: '0.5' } }, { value: 2, fields: { le: '+Inf' } }),
  family('WaitSecondsSum', 'counter', { value: 0.25, fields: {} }),
  family('WaitSecondsCount', 'counter', { value: 2, fields: {} }),
  family('LooseCount', 'counter', { value: 3, fields: {} }),
];
const HELP = 'A "text" \\\\ with\\nsigns.';

test('OpenMetrics: the type of a counter is said without the end of its name, and the text has an end', () => {
  assert.equal(
    renderMetrics(FAMILIES, 'openmetrics'),
    `# TYPE dynuser_free_uids gauge
# HELP dynuser_free_uids ${HELP}
dynuser_free_uids 4336
# TYPE dynuser_acquires counter
# HELP dynuser_acquires ${HELP}
dynuser_acquires_total{result="a\\"b"} 1
dynuser_acquires_total{result="c"} 2
# TYPE dynuser_wait_seconds histogram
# HELP dynuser_wait_seconds ${HELP}
dynuser_wait_seconds_bucket{le="0.5"} 1
dynuser_wait_seconds_bucket{le="+Inf"} 2
dynuser_wait_seconds_sum 0.25
dynuser_wait_seconds_count 2
# TYPE dynuser_loose_count counter
# HELP dynuser_loose_count ${HELP}
dynuser_loose_count_total 3
# EOF
`,
  );
});

test('Prometheus: the type is that of the name that follows', () => {
  const text = renderMetrics(FAMILIES, 'prometheus');
  assert.match(
    text,
    /^# TYPE dynuser_acquires_total counter\n# HELP dynuser_acquires_total .*\ndynuser_acquires_total\{/m,
  );
  assert.match(text, /^# TYPE dynuser_wait_seconds histogram$/m);
  assert.doesNotMatch(text, /EOF/);
});
