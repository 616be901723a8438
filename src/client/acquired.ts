/** The answer to Acquire, in a file of its own: declarations that a program reads must not lead to the varlink library. */
import type { AcquireReply } from '../api/generated/io-dynuser-allocator.ts';

/** What the interface has in the last reply, all of it. */
export type Acquired = Required<Omit<AcquireReply, 'progress'>>;
