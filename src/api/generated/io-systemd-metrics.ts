/** Generated from io.systemd.Metrics.varlink by "npm run generate": change that file, not this one. */
import type { Json } from '../../varlink/json.ts';

export const METRICS_INTERFACE = `# Metrics of this service, as systemd-report(1) collects them from every service below /run/systemd/report.
interface io.systemd.Metrics

# counter: a value that only grows while the service runs
# gauge: a value that goes up and down
type MetricFamilyType (counter, gauge, string)

# The values, one reply for each.
# [Requires 'more' flag]
method List() -> (
  # of its family
  name: string,
  value: any,
  # what the value is about, if it is about one of several things
  object: ?string,
  # what tells it from the other values of its family
  fields: ?[string]any
)

# The families, one reply for each.
# [Requires 'more' flag]
method Describe() -> (name: string, description: string, type: MetricFamilyType)

error NoSuchMetric()
`;

/**
 * counter: a value that only grows while the service runs
 * gauge: a value that goes up and down
 */
export type MetricFamilyType = 'counter' | 'gauge' | 'string';

export type ListReply = {
  /** of its family */
  readonly name: string;
  readonly value: Json;
  /** what the value is about, if it is about one of several things */
  readonly object?: string;
  /** what tells it from the other values of its family */
  readonly fields?: { readonly [key: string]: Json };
};

export type DescribeReply = {
  readonly name: string;
  readonly description: string;
  readonly type: MetricFamilyType;
};
