/** A connection to a bus that a test answers for. */
import type { BusConnection } from '../../../src/dbus/connection.ts';
import type { Question, Signal } from '../../../src/dbus/message.ts';

export class FakeConnection implements BusConnection {
  readonly asked: Question[] = [];
  readonly emitted: Omit<Signal, 'sender'>[] = [];
  /** what each member is answered with; one that is missing is answered with nothing */
  readonly answers = new Map<string, (question: Question) => readonly unknown[] | Promise<readonly unknown[]>>();

  async call(question: Question): Promise<readonly unknown[]> {
    this.asked.push(question);
    return this.answers.get(question.member)?.(question) ?? [];
  }

  emit(signals: readonly Omit<Signal, 'sender'>[]): void {
    this.emitted.push(...signals);
  }

  flush(): void {}

  close(): void {}

  count(member: string): number {
    return this.asked.filter(question => question.member === member).length;
  }
}

export function signal(parts: Pick<Signal, 'sender' | 'interface' | 'member' | 'body'> & Partial<Signal>): Signal {
  return { path: '/', signature: '', ...parts };
}

/** Lets everything happen that waits for nothing but its turn. */
export function pendingWork(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
