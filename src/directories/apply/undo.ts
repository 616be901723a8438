/** Remembers how to take back what was done, and takes it back in reverse. */
import { DynuserError } from '../../core/errors.ts';

export interface UndoLog {
  /** @param action takes one step back; called once, after all that were added later */
  add(action: () => Promise<void>): void;
  /**
   * Takes everything back because of an error. A step that cannot be taken back stops none of the others.
   * @returns the error to throw: the same one, or one that says in addition what could not be taken back
   */
  takeBack(error: unknown): Promise<unknown>;
}

export function undoLog(): UndoLog {
  const actions: (() => Promise<void>)[] = [];
  return {
    add(action) {
      actions.push(action);
    },
    async takeBack(error) {
      const left: string[] = [];
      for (const action of actions.splice(0).reverse()) {
        try {
          await action();
        } catch (failure) {
          left.push(failure instanceof Error ? failure.message : String(failure));
        }
      }
      if (left.length === 0 || !(error instanceof DynuserError)) {
        return error;
      }
      return new DynuserError(
        error.code,
        `${error.message}; and not all could be put back: ${left.join('; ')}`,
        error.detail,
        error,
      );
    },
  };
}
