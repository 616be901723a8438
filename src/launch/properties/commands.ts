/** What is started, and how its start is told (systemd.service(5)). */
import { COMMANDS_MAX } from '../limits.ts';
import { type CommandLine, readCommands } from '../syntax/command-line.ts';
import { NANOSECONDS_PER_SECOND, readTimeSpan } from '../syntax/quantities.ts';
import { readWord } from '../syntax/values.ts';
import { boolean, filledValue, list, type Property } from './property.ts';

const TYPES = ['simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle'] as const;

function commands(row: Parameters<typeof list<CommandLine>>[1]): Property<readonly CommandLine[]> {
  return list(readCommands, row, COMMANDS_MAX);
}

export const COMMANDS = {
  ExecCondition: commands({
    manual:
      'A command that decides whether the service is started: an exit status from 1 to 254 skips it, and dynuser-run ends with 0.',
  }),
  ExecStartPre: commands({
    manual: 'A command that runs before the service. If it fails, the service is not started.',
  }),
  ExecStart: commands({
    manual: 'The program, which becomes the process. Only Type=oneshot may have several, one after the other.',
  }),
  ExecStartPost: commands({
    manual: 'Run by --start-post: commands for when the service is ready.',
  }),
  ExecReload: commands({
    manual:
      'Run by --reload: commands that tell the service, whose process is $MAINPID, to read its configuration again.',
  }),
  ExecStop: commands({
    manual: 'Run by --stop: commands that ask the service, whose process is $MAINPID, to end.',
  }),
  ExecStopPost: commands({
    manual:
      'Run by --stop-post: commands for when the service has ended, told how by SERVICE_RESULT, EXIT_CODE and EXIT_STATUS.',
  }),
  PermissionsStartOnly: boolean({
    manual: 'All commands but ExecStart= run as root, outside of the sandbox, as with the prefix +.',
  }),
  NotifyAccess: filledValue((text, context) => readWord(text, ['none', 'main', 'exec', 'all'], context), {
    manual: 'With all values but none, NOTIFY_SOCKET of the launcher is passed on. Types with notify imply that.',
  }),
  WatchdogSec: filledValue((text, context) => readTimeSpan(text, NANOSECONDS_PER_SECOND, context), {
    manual:
      'With a time, WATCHDOG_USEC, WATCHDOG_PID and NOTIFY_SOCKET of the launcher are passed on; whoever set them watches.',
  }),
  Type: filledValue((text, context) => readWord(text, TYPES, context), {
    manual:
      'How a service manager learns that the service is ready. All types but forking are started in the same way.',
  }),
};
