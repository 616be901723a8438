/** The one way in which a command ends without success: what to say on standard error, and the exit status. */

/** 0 success; 1 failed or not found; 2 the command line is wrong */
export type ExitStatus = 0 | 1 | 2;

export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly status: 1 | 2;

  /** @param message what is wrong and what to do; what comes from outside in it is printable already */
  constructor(message: string, status: 1 | 2 = 1, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}

/** @returns the failure of a wrong command line, with the way to its help; verb is absent if none was understood */
export function usageFailure(message: string, verb?: string): CommandFailure {
  const help = verb === undefined ? 'dynuserctl --help' : `dynuserctl ${verb} --help`;
  return new CommandFailure(`${message}\nTry '${help}' for what there is.`, 2);
}
