/** The house style, as far as a program can check it without types. */

const MAX_FUNCTION_LINES = 45;
const MAX_PARAMETERS = 3;
/** Verbs of functions that do IO: a call that nobody waits for would fail unseen. */
const IO_VERB = /^(apply|write|observe|register|record|remove|drop|install)[A-Z]/;

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

function lineCount(context: Deno.lint.RuleContext, node: FunctionNode): number {
  const [start, end] = node.range;
  return context.sourceCode.text.slice(start, end).split("\n").length;
}

function checkFunction(context: Deno.lint.RuleContext, node: FunctionNode): void {
  const lines = lineCount(context, node);
  if (lines > MAX_FUNCTION_LINES) {
    context.report({ node, message: `Function has ${lines} lines: split it (at most ${MAX_FUNCTION_LINES})` });
  }
}

function checkParameters(context: Deno.lint.RuleContext, node: FunctionNode): void {
  if (node.params.length > MAX_PARAMETERS) {
    context.report({ node, message: `Function takes ${node.params.length} parameters: use an object for the rest` });
  }
}

function isTest(context: Deno.lint.RuleContext): boolean {
  return /(_test\.ts$|\/tests\/)/.test(context.filename);
}

function calleeName(node: Deno.lint.CallExpression): string | undefined {
  const { callee } = node;
  if (callee.type === "Identifier") return callee.name;
  return callee.type === "MemberExpression" && callee.property.type === "Identifier" ? callee.property.name : undefined;
}

const plugin: Deno.lint.Plugin = {
  name: "tablewright",
  rules: {
    "function-size": {
      create(context) {
        if (isTest(context)) return {};
        return {
          FunctionDeclaration: (node) => checkFunction(context, node),
          FunctionExpression: (node) => checkFunction(context, node),
        };
      },
    },
    "parameter-count": {
      create(context) {
        return {
          FunctionDeclaration: (node) => checkParameters(context, node),
          FunctionExpression: (node) => checkParameters(context, node),
          ArrowFunctionExpression: (node) => checkParameters(context, node),
        };
      },
    },
    "no-floating-io": {
      create(context) {
        // local/ is a command that reads and writes files synchronously.
        if (isTest(context) || context.filename.includes("/local/")) return {};
        return {
          ExpressionStatement(node) {
            if (node.expression.type !== "CallExpression") return;
            const name = calleeName(node.expression);
            if (name === undefined || !IO_VERB.test(name) || /(Event|Fault|Listener|BE)$/.test(name)) return;
            context.report({ node, message: `Nobody waits for ${name}(): await it, return it or say void` });
          },
        };
      },
    },
    "exported-jsdoc": {
      create(context) {
        if (isTest(context)) return {};
        return {
          ExportNamedDeclaration(node) {
            const kind = node.declaration?.type ?? "";
            if (!/^(FunctionDeclaration|ClassDeclaration)$/.test(kind)) return;
            const before = context.sourceCode.text.slice(0, node.range[0]).trimEnd();
            if (!before.endsWith("*/")) {
              context.report({ node, message: "Exported without JSDoc: say what it promises" });
            }
          },
        };
      },
    },
    "top-level-function": {
      create(context) {
        if (isTest(context)) return {};
        return {
          "Program > VariableDeclaration > VariableDeclarator > ArrowFunctionExpression"(
            node: Deno.lint.ArrowFunctionExpression,
          ) {
            context.report({ node, message: "Use `function` at top level: it has a name in stack traces" });
          },
        };
      },
    },
  },
};

export default plugin;
