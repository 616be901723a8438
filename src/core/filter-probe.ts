/**
 * The number of no call, and the errno by which a service's filter answers it: so the launcher knows that the filter is in force. Nothing
 * else could be asked: the filter may forbid any call.
 */
export const FILTER_PROBE = { number: 0x3fff_fffe, errno: 71 } as const;
