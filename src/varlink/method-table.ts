/** All that a server can answer: methods by their qualified names, and the errors that may be sent. It never changes once it is made. */
import { interfaceNotFound, methodNotFound, methodNotImplemented, type VarlinkError } from './errors.ts';
import type { InterfaceImplementation, MethodHandler } from './handler.ts';
import { encodeStruct } from './idl/encode.ts';
import type { IdlInterface, IdlMethod, IdlStruct } from './idl/model.ts';
import { parseInterface } from './idl/parse.ts';
import type { JsonObject } from './json.ts';
import { SERVICE_DESCRIPTION } from './service-description.ts';

/** What GetInfo says. */
export interface ServiceInfo {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
  readonly url: string;
}

export interface ServedMethod<P> {
  readonly idl: IdlInterface;
  readonly definition: IdlMethod;
  readonly handler: MethodHandler<P>;
}

export class MethodTable<P> {
  readonly #methods = new Map<string, ServedMethod<P>>();
  readonly #interfaces = new Map<string, IdlInterface>();
  /** the text of each interface */
  readonly #descriptions = new Map<string, string>();
  readonly #errors = new Map<string, { readonly idl: IdlInterface; readonly parameters: IdlStruct }>();

  /**
   * @throws IdlError for a description that cannot be parsed, TypeError for a handler without a declared method and for an
   *   interface that is there twice
   */
  constructor(info: ServiceInfo, interfaces: readonly InterfaceImplementation<P>[]) {
    for (const each of [...interfaces, serviceInterface<P>(info, this.#descriptions)]) {
      this.#add(each);
    }
  }

  #add({ description, methods }: InterfaceImplementation<P>): void {
    const idl = parseInterface(description);
    if (this.#interfaces.has(idl.name)) {
      throw new TypeError(`the interface ${idl.name} is implemented twice`);
    }
    this.#interfaces.set(idl.name, idl);
    this.#descriptions.set(idl.name, description);
    for (const { name, parameters } of idl.errors.values()) {
      this.#errors.set(`${idl.name}.${name}`, { idl, parameters });
    }
    for (const [name, handler] of Object.entries(methods)) {
      const definition = idl.methods.get(name);
      if (definition === undefined) {
        throw new TypeError(`${idl.name} does not declare the method ${name}`);
      }
      this.#methods.set(`${idl.name}.${name}`, { idl, definition, handler });
    }
  }

  /** @returns the method, or the error that says why there is none */
  find(qualified: string): ServedMethod<P> | VarlinkError {
    const found = this.#methods.get(qualified);
    if (found !== undefined) {
      return found;
    }
    const dot = qualified.lastIndexOf('.');
    const idl = this.#interfaces.get(qualified.slice(0, Math.max(dot, 0)));
    if (idl === undefined) {
      return dot === -1 ? methodNotFound(qualified) : interfaceNotFound(qualified.slice(0, dot));
    }
    return idl.methods.has(qualified.slice(dot + 1)) ? methodNotImplemented(qualified) : methodNotFound(qualified);
  }

  /** @returns the text of the error's parameters. @throws TypeError if no interface declares the error like this */
  encodeError({ error, parameters }: { readonly error: string; readonly parameters: JsonObject }): string {
    const declared = this.#errors.get(error);
    if (declared === undefined) {
      throw new TypeError(`no interface declares the error ${error}`);
    }
    return encodeStruct(declared.idl, declared.parameters, parameters);
  }
}

/**
 * org.varlink.service, the interface that every varlink service has: what is served, and the text of each interface.
 * @param descriptions the text of every interface that is served, this one included, by its name
 */
function serviceInterface<P>(info: ServiceInfo, descriptions: ReadonlyMap<string, string>): InterfaceImplementation<P> {
  return {
    description: SERVICE_DESCRIPTION,
    methods: {
      GetInfo: () => ({ ...info, interfaces: [...descriptions.keys()].sort() }),
      GetInterfaceDescription: ({ parameters }) => {
        const name = String(parameters['interface']);
        const description = descriptions.get(name);
        if (description === undefined) {
          throw interfaceNotFound(name);
        }
        return { description };
      },
    },
  };
}
