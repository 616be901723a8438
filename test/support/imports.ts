/** What a TypeScript file imports, as the compiler parses it. */
import { posix } from 'node:path';
import ts from 'typescript';

export interface Import {
  /** the file that imports, from the top of the checkout */
  readonly from: string;
  /** a path from the top of the checkout, or a package */
  readonly to: string;
  /** whether types alone are imported: nothing of it is left when the program runs */
  readonly typeOnly: boolean;
  /** import() in a function: it is loaded when that is called */
  readonly late: boolean;
}

/** @param path from the top of the checkout @throws Error if a file is loaded by a name that is computed */
export function importsOf(path: string, text: string): Import[] {
  const imports: Import[] = [];
  const add = (name: ts.Node | undefined, typeOnly: boolean, late: boolean): void => {
    if (name === undefined || !ts.isStringLiteral(name)) {
      throw new Error(`${path}: a file is loaded by a name that is computed: ${name?.getText() ?? ''}`);
    }
    const specifier = name.text;
    const to = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;
    imports.push({ from: path, to, typeOnly, late });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.isTypeOnly === true, false);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, node.isTypeOnly, false);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true, true);
    } else if (ts.isCallExpression(node) && isLoader(node.expression)) {
      add(node.arguments[0], false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return imports;
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

/**
 * Finds files that import each other, in a circle of any length.
 *
 * @returns a circle for each import that closes one, as 'a.ts -> b.ts -> a.ts', sorted; none if there is no circle
 */
export function circlesOf(imports: readonly Pick<Import, 'from' | 'to'>[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) {
    targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) {
      circles.push([...way.slice(start), file].join(' -> '));
    } else if (!done.has(file)) {
      for (const to of targets.get(file) ?? []) {
        visit(to, [...way, file]);
      }
      done.add(file);
    }
  };
  for (const file of [...targets.keys()].sort()) {
    visit(file, []);
  }
  return circles.sort();
}
