/** What passwd(5) and group(5) files say of a name. Lines that are malformed are skipped, as by the C library. Pure. */

export interface Login {
  readonly home: string;
  readonly shell: string;
}

const NUMBER = /^\d+$/;
/** No user and no group has this number, or a greater one (setgroups(2)). */
const NOBODYS_ID = 0xffff_ffff;

/** @returns the GID of a group, undefined if the text has no such group */
export function groupInFile(text: string, name: string): number | undefined {
  return linesWith(text, name, 4)
    .map(([group, , id]) => (group === name ? idOf(id) : undefined))
    .find(gid => gid !== undefined);
}

/** @returns the GIDs of the groups that list a user as a member */
export function membershipsInFile(text: string, user: string): number[] {
  return linesWith(text, user, 4).flatMap(([, , id, members]) => {
    const gid = idOf(id);
    const isMember = (members ?? '').split(',').some(member => member.trim() === user);
    return isMember && gid !== undefined ? [gid] : [];
  });
}

/** @returns home and shell of a user, by its name or by its number in decimal; undefined if the text has no such user */
export function loginInFile(text: string, user: string): Login | undefined {
  const column = NUMBER.test(user) ? 2 : 0;
  const fields = linesWith(text, user, 7).find(line => line[column] === user);
  return fields === undefined ? undefined : { home: fields[5] ?? '', shell: fields[6] ?? '' };
}

/** The fields of the lines that contain a name somewhere. */
function linesWith(text: string, name: string, fieldCount: number): string[][] {
  if (name === '' || !text.includes(name)) {
    return [];
  }
  return (
    text
      .split('\n')
      .filter(line => line.includes(name))
      .map(line => line.trimStart())
      // "+" and "-" begin lines that are for the source "compat" alone (nsswitch.conf(5)).
      .filter(line => !/^[#+-]/.test(line))
      .map(line => line.split(':'))
      .filter(fields => fields.length >= fieldCount)
  );
}

function idOf(text: string | undefined): number | undefined {
  return text !== undefined && NUMBER.test(text) && Number(text) < NOBODYS_ID ? Number(text) : undefined;
}
