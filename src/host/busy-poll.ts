/**
 * Busy polling, as the kernel has it for sockets (SO_BUSY_POLL, socket(7)) and for processors that halt (halt_poll_ns of
 * KVM): after a request that came soon after another, the event loop looks for the next for a short time before it goes
 * to sleep. To be woken is a third of what an answer takes otherwise, and more in a virtual machine.
 *
 * It is kept up only while it pays: looks that find nothing are followed by a rest, so that of any time no more than a
 * thirteenth goes into them, and only while requests keep coming. Whoever else needs the processor meanwhile gets it.
 */

/** How far apart two requests may be for a third to be looked for, in milliseconds. */
const SOON_MS = 1;
/** How long to look, in milliseconds: what a program needs between two lookups, twice. */
const LOOK_MS = 0.1;
/** Looks in a row that may find nothing: one does whenever either side is interrupted. */
const LOOKS_IN_VAIN_MAX = 8;
/** How long to leave it after those, in milliseconds. */
const REST_MS = 10;

export interface BusyPollParts {
  /** milliseconds that only ever grow, with fractions */
  readonly now: () => number;
  /** has a function called in the next turn of the event loop, which does not sleep before it */
  readonly soon: (turn: () => void) => unknown;
  /** lets others run that wait for this processor: the very caller may be one of them */
  readonly yieldProcessor: () => void;
}

export class BusyPoll {
  readonly #parts: BusyPollParts;
  readonly #turn = () => this.#look();
  #askedAt = Number.NEGATIVE_INFINITY;
  /** when the look that is under way ends */
  #until: number | undefined;
  #inVain = 0;
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(parts: BusyPollParts) {
    this.#parts = parts;
  }

  /** To be called at each request. */
  asked(): void {
    const now = this.#parts.now();
    const isSoon = now - this.#askedAt <= SOON_MS;
    this.#askedAt = now;
    if (this.#until !== undefined) {
      this.#inVain = 0;
      this.#until = now + LOOK_MS;
    } else if (isSoon && now >= this.#restsUntil) {
      this.#until = now + LOOK_MS;
      this.#parts.soon(this.#turn);
    }
  }

  #look(): void {
    const now = this.#parts.now();
    if (this.#until !== undefined && now < this.#until) {
      this.#parts.yieldProcessor();
      this.#parts.soon(this.#turn);
      return;
    }
    this.#until = undefined;
    this.#inVain += 1;
    if (this.#inVain === LOOKS_IN_VAIN_MAX) {
      this.#inVain = 0;
      this.#restsUntil = now + REST_MS;
    }
  }
}
