/** What an interface definition says, once it is parsed: plain values, complete and resolved. */

export const SCALARS = ['bool', 'int', 'float', 'string', 'object', 'any'] as const;
export type Scalar = (typeof SCALARS)[number];

export type IdlType =
  | { readonly kind: Scalar }
  | { readonly kind: 'named'; readonly name: string }
  | IdlEnum
  | IdlStruct
  | { readonly kind: 'array' | 'map' | 'maybe'; readonly element: IdlType };

export interface IdlEnum {
  readonly kind: 'enum';
  readonly values: readonly string[];
}

export interface IdlStruct {
  readonly kind: 'struct';
  /** by name, in the order of the definition */
  readonly fields: ReadonlyMap<string, IdlField>;
}

export interface IdlField extends Documented {
  readonly type: IdlType;
}

/** The comment directly above, one line each, without "#". */
export interface Documented {
  readonly name: string;
  readonly documentation: readonly string[];
}

export interface IdlNamedType extends Documented {
  readonly type: IdlEnum | IdlStruct;
}

export interface IdlMethod extends Documented {
  readonly parameters: IdlStruct;
  readonly reply: IdlStruct;
}

export interface IdlError extends Documented {
  readonly parameters: IdlStruct;
}

/** Members are by their own name, in the order of the definition; every named type that is used is there. */
export interface IdlInterface extends Documented {
  readonly types: ReadonlyMap<string, IdlNamedType>;
  readonly methods: ReadonlyMap<string, IdlMethod>;
  readonly errors: ReadonlyMap<string, IdlError>;
}
