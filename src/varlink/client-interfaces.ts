/** What a client knows of the interfaces that it calls: parameters are written, and replies checked, as they declare. */
import { ReplyMismatch, VarlinkError } from './errors.ts';
import { checkStruct, Mismatch, type UnknownFields } from './idl/check.ts';
import { encodeStruct } from './idl/encode.ts';
import type { IdlInterface, IdlMethod } from './idl/model.ts';
import { parseInterface } from './idl/parse.ts';
import type { JsonObject } from './json.ts';
import { writeJson } from './json-writer.ts';
import type { MethodReply } from './message.ts';

export class ClientInterfaces {
  readonly #methods = new Map<string, { readonly idl: IdlInterface; readonly definition: IdlMethod }>();

  readonly #unknown: UnknownFields;

  /**
   * @param descriptions interface definitions
   * @param unknown what becomes of fields of a reply that its interface does not declare
   * @throws IdlError
   */
  constructor(descriptions: readonly string[], unknown: UnknownFields = 'refuse') {
    this.#unknown = unknown;
    for (const idl of descriptions.map(parseInterface)) {
      for (const definition of idl.methods.values()) {
        this.#methods.set(`${idl.name}.${definition.name}`, { idl, definition });
      }
    }
  }

  /** @returns the text of an object. @throws TypeError if the interface is known and does not declare them so */
  encodeParameters(method: string, parameters: JsonObject): string {
    const known = this.#methods.get(method);
    return known === undefined
      ? writeJson(parameters, 1)
      : encodeStruct(known.idl, known.definition.parameters, parameters);
  }

  /** @throws VarlinkError for an error reply, ReplyMismatch for one that is not as declared */
  checkReply(method: string, { error, parameters }: MethodReply): JsonObject {
    if (error !== undefined) {
      throw new VarlinkError(error, parameters);
    }
    const known = this.#methods.get(method);
    if (known === undefined) {
      return parameters;
    }
    const checked = checkStruct(known.idl, known.definition.reply, parameters, this.#unknown);
    if (checked instanceof Mismatch) {
      throw new ReplyMismatch(method, checked);
    }
    return checked;
  }
}
