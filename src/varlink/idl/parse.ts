/**
 * The grammar of interface definitions (varlink.org, Interface-Definition): text in, a complete IdlInterface out.
 * Recursive descent over tokens; how deep it goes is bounded.
 */
import { IDL_DEPTH_MAX } from '../limits.ts';
import type {
  Documented,
  IdlEnum,
  IdlError as IdlErrorMember,
  IdlField,
  IdlInterface,
  IdlMethod,
  IdlNamedType,
  IdlStruct,
  IdlType,
} from './model.ts';
import { SCALARS } from './model.ts';

/** What is wrong with a definition, and where. */
export class IdlError extends Error {
  override readonly name = 'IdlError';

  /** @param at where it is wrong */
  constructor(at: { readonly line: number; readonly column: number }, reason: string) {
    super(`line ${at.line}, column ${at.column}: ${reason}`);
  }
}

interface Token {
  /** 'end' comes once, last, with an empty text */
  readonly kind: 'word' | 'sign' | 'end';
  readonly text: string;
  /** from 1 */
  readonly line: number;
  /** from 1, in UTF-16 units */
  readonly column: number;
  /** the comment lines directly above, without "#" and the space behind it */
  readonly documentation: readonly string[];
}

const INTERFACE_NAME = /^[A-Za-z](?:-*[A-Za-z0-9])*(?:\.[A-Za-z0-9](?:-*[A-Za-z0-9])*)+$/;
const MEMBER_NAME = /^[A-Z][A-Za-z0-9]*$/;
const FIELD_NAME = /^[A-Za-z](?:_?[A-Za-z0-9])*$/;

/** @throws IdlError with line and column */
export function parseInterface(text: string): IdlInterface {
  const tokens = new TokenReader(text);
  const { documentation } = tokens.expect('interface');
  const name = tokens.name(INTERFACE_NAME, 'an interface name such as org.example.Service').text;
  const types = new Map<string, IdlNamedType>();
  const methods = new Map<string, IdlMethod>();
  const errors = new Map<string, IdlErrorMember>();
  while (tokens.current.kind !== 'end') {
    const keyword = tokens.take();
    const member = tokens.name(MEMBER_NAME, 'a member name, which starts with a capital letter');
    if (types.has(member.text) || methods.has(member.text) || errors.has(member.text)) {
      throw new IdlError(member, `${member.text} is defined twice`);
    }
    const documented: Documented = { name: member.text, documentation: keyword.documentation };
    switch (keyword.text) {
      case 'type':
        types.set(member.text, { ...documented, type: enumOrStruct(tokens, 0) });
        break;
      case 'method':
        methods.set(member.text, { ...documented, ...signature(tokens) });
        break;
      case 'error':
        errors.set(member.text, { ...documented, parameters: struct(tokens) });
        break;
      default:
        throw new IdlError(keyword, `expected "type", "method" or "error", found ${describe(keyword)}`);
    }
  }
  tokens.checkReferences(types);
  return { name, documentation, types, methods, errors };
}

function signature(tokens: TokenReader): Pick<IdlMethod, 'parameters' | 'reply'> {
  const parameters = struct(tokens);
  tokens.expect('->');
  return { parameters, reply: struct(tokens) };
}

/** The parameters of a member, which are a struct and never an enum. */
function struct(tokens: TokenReader): IdlStruct {
  const at = tokens.current;
  const type = enumOrStruct(tokens, 0);
  if (type.kind !== 'struct') {
    throw new IdlError(at, 'each parameter needs a type');
  }
  return type;
}

/** "(a, b)" is an enum, "(a: int)" and "()" are structs: the sign behind the first name tells. */
function enumOrStruct(tokens: TokenReader, depth: number): IdlEnum | IdlStruct {
  tokens.expect('(');
  const fields = new Map<string, IdlField>();
  const values = new Set<string>();
  if (tokens.accept(')')) {
    return { kind: 'struct', fields };
  }
  do {
    const name = tokens.name(FIELD_NAME, 'a field name');
    if (fields.has(name.text) || values.has(name.text)) {
      throw new IdlError(name, `${name.text} is named twice`);
    }
    const isField = values.size === 0 && (fields.size > 0 || tokens.current.text === ':');
    if (isField) {
      tokens.expect(':');
      fields.set(name.text, {
        name: name.text,
        documentation: name.documentation,
        type: typeOf(tokens, depth + 1),
      });
    } else {
      values.add(name.text);
    }
  } while (tokens.accept(','));
  tokens.expect(')');
  return values.size > 0 ? { kind: 'enum', values: [...values] } : { kind: 'struct', fields };
}

function typeOf(tokens: TokenReader, depth: number): IdlType {
  const at = tokens.current;
  if (depth > IDL_DEPTH_MAX) {
    throw new IdlError(at, `types are nested more than ${IDL_DEPTH_MAX} deep`);
  }
  if (at.text === '(') {
    return enumOrStruct(tokens, depth);
  }
  if (tokens.accept('[]')) {
    return { kind: 'array', element: typeOf(tokens, depth + 1) };
  }
  if (tokens.accept('[')) {
    tokens.expect('string');
    tokens.expect(']');
    return { kind: 'map', element: typeOf(tokens, depth + 1) };
  }
  if (tokens.accept('?')) {
    const element = typeOf(tokens, depth + 1);
    if (element.kind === 'maybe') {
      throw new IdlError(at, 'a nullable type cannot be made nullable again');
    }
    return { kind: 'maybe', element };
  }
  const scalar = SCALARS.find(known => known === at.text);
  if (scalar !== undefined) {
    tokens.take();
    return { kind: scalar };
  }
  return { kind: 'named', name: tokens.reference() };
}

/** The tokens with one to look at, and the names of types that were used. */
class TokenReader {
  readonly #tokens: Iterator<Token, void, undefined>;
  readonly #references: Token[] = [];
  current: Token;

  constructor(text: string) {
    this.#tokens = scan(text);
    this.current = { kind: 'end', text: '', line: 1, column: 1, documentation: [] };
    this.take();
  }

  /** Moves on. @returns the token that was current */
  take(): Token {
    const taken = this.current;
    const next = this.#tokens.next();
    // Behind the last token there is only more of the end.
    this.current = next.value ?? this.current;
    return taken;
  }

  accept(text: string): boolean {
    const found = this.current.text === text;
    if (found) {
      this.take();
    }
    return found;
  }

  expect(text: string): Token {
    if (this.current.text !== text) {
      throw new IdlError(this.current, `expected "${text}", found ${describe(this.current)}`);
    }
    return this.take();
  }

  name(grammar: RegExp, expected: string): Token {
    if (this.current.kind !== 'word' || !grammar.test(this.current.text)) {
      throw new IdlError(this.current, `expected ${expected}, found ${describe(this.current)}`);
    }
    return this.take();
  }

  reference(): string {
    const token = this.name(MEMBER_NAME, 'a type');
    this.#references.push(token);
    return token.text;
  }

  /** A type may be used above its definition, so this is known only at the end. */
  checkReferences(types: ReadonlyMap<string, unknown>): void {
    const missing = this.#references.find(token => !types.has(token.text));
    if (missing !== undefined) {
      throw new IdlError(missing, `the type ${missing.text} is not defined`);
    }
  }
}

function describe(token: Token): string {
  return token.kind === 'end' ? 'the end of the text' : `"${token.text}"`;
}

/** One piece at a time. A word is a name of any sort, dots and hyphens of interface names included. */
const PIECE = /[ \t\r]+|(\n)|#([^\n]*)|([A-Za-z][A-Za-z0-9_.-]*(?<![.-]))|(->|\[\]|[[\]():,?])/y;

/** Knows letters and comments, and nothing of the grammar. @throws IdlError at the first letter that no definition has */
function* scan(text: string): Generator<Token, void, undefined> {
  const piece = new RegExp(PIECE);
  let line = 1;
  let lineStart = 0;
  let documentation: string[] = [];
  // A comment behind a token on its line is a remark on that, not the documentation of the next.
  let lineHasToken = false;
  let lineHasAnything = false;

  for (let offset = 0; offset < text.length; offset = piece.lastIndex) {
    piece.lastIndex = offset;
    const column = offset - lineStart + 1;
    const found = piece.exec(text);
    if (found === null) {
      throw new IdlError(
        { line, column },
        `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(offset) ?? 0))}`,
      );
    }
    const [, newline, comment, word, sign] = found;
    if (newline !== undefined) {
      documentation = lineHasAnything ? documentation : [];
      line += 1;
      lineStart = piece.lastIndex;
      lineHasToken = false;
      lineHasAnything = false;
    } else if (comment !== undefined) {
      lineHasAnything = true;
      if (!lineHasToken) {
        documentation.push(comment.replace(/^ /, '').trimEnd());
      }
    } else if (word !== undefined || sign !== undefined) {
      yield { kind: word === undefined ? 'sign' : 'word', text: word ?? sign ?? '', line, column, documentation };
      documentation = [];
      lineHasToken = true;
      lineHasAnything = true;
    }
  }
  yield { kind: 'end', text: '', line, column: text.length - lineStart + 1, documentation: [] };
}
