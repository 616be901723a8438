/** The page dynuserctl(1), made from the table of commands: it cannot say anything else than the command does. Pure. */
import type { CommandSpec, OptionSpec } from '../cli/command.ts';
import { mdocLine, mdocOption, mdocText, mdocWord } from './mdoc.ts';

/** What the table does not say: where the command looks, and how it ends. */
const ENVIRONMENT = `.Sh ENVIRONMENT
.Bl -tag -width Ds
.It Ev DYNUSER_RUNTIME_DIRECTORY
The directory of the sockets of
.Xr dynuserd 8 ,
instead of
.Pa /run/dynuser .
.It Ev NO_COLOR
If it is set, no text is bold or faint on a terminal.
.El
`;
const FILES = `.Sh FILES
.Bl -tag -width Ds
.It Pa /run/dynuser/io.dynuser.Allocator
The socket of
.Xr dynuserd 8
for root and for others who may acquire; it is tried first.
.It Pa /run/dynuser/io.dynuser.DynamicUser
The socket for everybody.
.El
`;
const EXIT_STATUS = `.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
Success.
.It 1
It failed, or what was asked for does not exist.
.It 2
The command line is wrong.
.El
`;
const SEE_ALSO = `.Sh SEE ALSO
.Xr dynuser\\-run 1 ,
.Xr dynuserd.conf 5 ,
.Xr dynuserd 8 ,
.Xr libnss_dynuser 8
`;

/** @param date as it stands in the page's foot */
export function renderCommandManual(
  commands: readonly CommandSpec[],
  options: readonly OptionSpec[],
  date: string,
): string {
  return [
    `.Dd ${date}\n.Dt DYNUSERCTL 1\n.Os dynuser\n`,
    '.Sh NAME\n.Nm dynuserctl\n.Nd show and manage dynamic users\n',
    '.Sh SYNOPSIS\n.Nm\n.Op Ar OPTION ...\n.Ar COMMAND\n.Op Ar ARGUMENT ...\n',
    '.Sh DESCRIPTION\n.Nm\nshows and manages the users that\n.Xr dynuserd 8\ngives to services for as long as they run.\n',
    'Options and arguments come in any order after the command.\nOptions of every command may come before it.\n.Fl \\-\nends the options.\n',
    '.Sh COMMANDS\n',
    ...commands.map(renderCommand),
    `.Sh OPTIONS\nEvery command takes these:\n${renderOptions(options)}`,
    ENVIRONMENT,
    FILES,
    EXIT_STATUS,
    `.Sh EXAMPLES\n.Bd -literal -offset indent\n${commands
      .flatMap(({ examples }) => examples)
      .map(example => `${mdocLine(example)}\n`)
      .join('')}.Ed\n`,
    SEE_ALSO,
  ].join('');
}

function renderCommand(command: CommandSpec): string {
  const operands = command.operands.map(operand => ` Ar ${mdocWord(operand)}`).join('');
  const own = command.options.length === 0 ? '' : renderOptions(command.options);
  return [
    `.Ss ${mdocWord([command.verb, ...command.operands].join(' '))}\n`,
    `.Nm Cm ${command.verb}${command.options.length === 0 ? '' : ' Oo Ar OPTION ... Oc'}${operands}\n.Pp\n`,
    `${mdocLine(command.summary)}.\n`,
    ...command.description.map(paragraph => `.Pp\n${mdocText(paragraph)}`),
    own,
  ].join('');
}

function renderOptions(options: readonly OptionSpec[]): string {
  const items = options.map(({ name, value, repeatable, help }) => {
    const again = repeatable ? 'May be given several times.\n' : '';
    return `.It ${mdocOption(name, value)}\n${mdocText(`${help}.`)}${again}`;
  });
  return `.Bl -tag -width Ds\n${items.join('')}.El\n`;
}
