/** PostgreSQL's own parser, compiled to WASM: about 24 MB of memory, hence loaded when the first text needs it. */
export type Parser = (sql: string) => unknown;

/** PostgreSQL refuses the text; the message is the grammar's own. */
export class SyntaxFault extends Error {
  override readonly name = "SyntaxFault";
}

interface PgQueryModule {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _wasm_parse_query_raw(text: number): number;
  _wasm_free_parse_result(result: number): void;
  lengthBytesUTF8(text: string): number;
  stringToUTF8(text: string, pointer: number, bytes: number): void;
  UTF8ToString(pointer: number): string;
  getValue(pointer: number, type: "i32"): number;
}

interface ModuleOptions {
  instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): unknown;
  readonly print: (text: string) => void;
  readonly printErr: (text: string) => void;
}

type ModuleFactory = (options: ModuleOptions) => Promise<PgQueryModule>;

/** Offset of the error in `PgQueryParseResult`, after the parse tree and the buffer of stderr. */
const ERROR_OFFSET = 8;

let loading: Promise<PgQueryModule> | undefined;

/** Loads the parser; later calls give the same one. Needs no permission. */
export async function loadParser(): Promise<Parser> {
  loading ??= load();
  const module = await loading.catch((error) => {
    loading = undefined;
    throw error;
  });
  return (sql) => {
    try {
      return parse(module, sql);
    } catch (error) {
      // After a trap (stack or memory exhausted) nothing in the module's memory can be trusted.
      if (!(error instanceof SyntaxFault)) loading = undefined;
      throw error;
    }
  };
}

/** The package's own entry reads its WASM from a file, which needs a permission; a bytes import needs none. */
async function load(): Promise<PgQueryModule> {
  const [{ default: bytes }, { default: untyped }] = await Promise.all([
    import("libpg-query/wasm", { with: { type: "bytes" } }),
    import("libpg-query/module"),
  ]);
  const factory = untyped as unknown as ModuleFactory;
  const compiled = await WebAssembly.compile(bytes as BufferSource);
  return await factory({
    instantiateWasm(imports, receive) {
      receive(new WebAssembly.Instance(compiled, imports));
      return {};
    },
    print() {},
    printErr() {},
  });
}

function parse(module: PgQueryModule, sql: string): unknown {
  const size = module.lengthBytesUTF8(sql) + 1;
  const text = module._malloc(size);
  let result = 0;
  try {
    module.stringToUTF8(sql, text, size);
    result = module._wasm_parse_query_raw(text);
    if (result === 0) throw new RangeError("Cannot parse: the parser has no memory left");
    const error = module.getValue(result + ERROR_OFFSET, "i32");
    if (error !== 0) throw new SyntaxFault(module.UTF8ToString(module.getValue(error, "i32")));
    return JSON.parse(module.UTF8ToString(module.getValue(result, "i32")));
  } finally {
    module._free(text);
    if (result !== 0) module._wasm_free_parse_result(result);
  }
}
