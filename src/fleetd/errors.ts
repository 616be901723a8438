/** What the companion refuses, by the errors of io.dynuser.Fleet. */

/** The errors, each with its fields. */
interface Details {
  readonly NoFleet: object;
  readonly FleetExists: { readonly ranges: string };
  readonly RangesDiffer: { readonly ranges: string };
  readonly HostAlive: { readonly hostName: string };
  readonly NotMember: { readonly incarnation?: string };
  readonly NameBound: { readonly uid: number };
  readonly NoneFree: object;
  readonly Restoring: object;
  readonly NotRestored: { readonly hosts: readonly string[]; readonly conflicts: readonly string[] };
  readonly DirectoryOfAnother: { readonly name: string };
  readonly NoSuchHost: { readonly host: string };
  readonly InvalidParameter: { readonly field: string; readonly reason: string };
}

export type FleetErrorCode = keyof Details;

export class FleetError<Code extends FleetErrorCode = FleetErrorCode> extends Error {
  override readonly name = 'FleetError';
  readonly code: Code;
  readonly detail: Details[Code];

  constructor(code: Code, detail: Details[Code]) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}
