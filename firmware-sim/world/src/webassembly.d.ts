/** The little of WebAssembly that the world uses: Node has it, its type package (20) has not. */
declare namespace WebAssembly {
  /** Compiled code; any number of instances can be made of it. */
  class Module {
    private readonly compiled: unknown;
    constructor(bytes: Uint8Array);
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    readonly exports: unknown;
    constructor(module: Module, imports: unknown);
  }
}
