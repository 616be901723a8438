/** Where a compiled file can be changed so that its behaviour should change, and how. */
import ts from 'typescript';

/** One change of a file: the text from start to end is replaced. */
export interface Site {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** where what it changes the outcome of begins: code that is never run up to there behaves as before */
  readonly from: number;
  readonly kind: 'operator' | 'constant' | 'condition' | 'statement';
}

const OPERATORS: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
  [ts.SyntaxKind.AsteriskToken, '/'],
  [ts.SyntaxKind.AmpersandToken, '|'],
  [ts.SyntaxKind.BarToken, '&'],
]);

/** @param text JavaScript @returns every site, in the order of the text */
export function sitesOf(text: string): Site[] {
  const file = ts.createSourceFile('x.js', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const sites: Site[] = [];
  const add = (node: ts.Node, kind: Site['kind'], replacement: string, from = node): void => {
    sites.push({ start: node.getStart(file), end: node.end, replacement, from: from.getStart(file), kind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || isHelper(node)) {
      return;
    }
    if (ts.isBinaryExpression(node)) {
      const other = OPERATORS.get(node.operatorToken.kind);
      // With a text beside it "+" joins, and "-" would make NaN of every message: nothing that a test has to tell apart.
      if (other !== undefined && !(other === '-' && [node.left, node.right].some(isText))) {
        add(node.operatorToken, 'operator', other, node.left);
      }
    } else if (ts.isNumericLiteral(node)) {
      add(node, 'constant', node.text === '0' ? '1' : `(${node.getText(file)} + 1)`);
    } else if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
      add(node, 'constant', node.kind === ts.SyntaxKind.TrueKeyword ? 'false' : 'true');
    } else if (ts.isIfStatement(node)) {
      add(node.expression, 'condition', `!(${node.expression.getText(file)})`);
    } else if (ts.isConditionalExpression(node)) {
      add(node.condition, 'condition', `!(${node.condition.getText(file)})`);
    } else if (isRemovable(node)) {
      add(node, 'statement', ';');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return sites.sort((one, other) => one.start - other.start || one.end - other.end);
}

/** What the compiler adds for a syntax that Node 20 has not: __addDisposableResource, the state of a scope, and whether it waits. */
function isHelper(node: ts.Node): boolean {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.some(
      ({ name }) => ts.isIdentifier(name) && /^(?:__|env_\d)/.test(name.text),
    );
  }
  if (ts.isExpressionStatement(node)) {
    return /^env_\d+\./.test(node.getText());
  }
  const { parent } = node;
  const isFlag = node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword;
  return isFlag && ts.isCallExpression(parent) && parent.expression.getText() === '__addDisposableResource';
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteral(node) || ts.isTemplateLiteral(node);
}

/** Calls and assignments as statements, and throw; without super() there is no object. */
function isRemovable(node: ts.Node): boolean {
  if (ts.isThrowStatement(node)) {
    return true;
  }
  return (
    ts.isExpressionStatement(node) &&
    !ts.isStringLiteral(node.expression) &&
    !(ts.isCallExpression(node.expression) && node.expression.expression.kind === ts.SyntaxKind.SuperKeyword)
  );
}

export function apply(text: string, { start, end, replacement }: Pick<Site, 'start' | 'end' | 'replacement'>): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
