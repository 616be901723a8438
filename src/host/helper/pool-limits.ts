/** How many questions a pool of helpers takes, and from whom. */

/** Helpers that answer at the same time: so many NSS questions may hang before all others wait. */
export const HELPERS_MAX = 4;
/** Questions that wait for a helper: of root, and once more of all others together. */
export const QUESTIONS_WAITING_MAX = 256;

export interface PoolLimits {
  /** helpers that answer at the same time */
  readonly helpers: number;
  /** how many of these the questions of others than root may occupy at a time */
  readonly helpersOfOthers: number;
  /** questions that wait for a helper: of root, and once more of all others together */
  readonly waiting: number;
  /** questions of one UID other than root that wait or are being answered */
  readonly questionsPerUid: number;
}

/** Of the helpers that serve whoever may acquire: one UID's questions can hang and leave root half of them. */
export const ACQUIRING_LIMITS: PoolLimits = {
  helpers: HELPERS_MAX,
  helpersOfOthers: HELPERS_MAX / 2,
  waiting: QUESTIONS_WAITING_MAX,
  questionsPerUid: 64,
};

/** Of the helpers that serve everybody else, who can only ask: Explain needs one answer after the other. */
export const PUBLIC_LIMITS: PoolLimits = { helpers: 2, helpersOfOthers: 2, waiting: 64, questionsPerUid: 8 };
