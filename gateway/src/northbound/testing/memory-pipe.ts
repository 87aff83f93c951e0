/** Two ends of a stream in memory: what one writes the other reads, in later turns, with real backpressure. */
import { Duplex } from "node:stream";

class PipeEnd extends Duplex {
  other: PipeEnd | null = null;
  #resume: (() => void) | null = null;

  override _read(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const copy = Buffer.from(chunk);
    setImmediate(() => this.other?.accept(copy, done));
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const joined = Buffer.concat(chunks.map(({ chunk }) => chunk));
    setImmediate(() => this.other?.accept(joined, done));
  }

  override _final(done: (error?: Error | null) => void): void {
    setImmediate(() => {
      if (this.other?.destroyed === false) this.other.push(null);
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    setImmediate(() => {
      if (this.other?.destroyed === false) this.other.push(null);
    });
    done(error);
  }

  accept(chunk: Buffer, done: () => void): void {
    if (this.destroyed || this.readableEnded || this.push(chunk)) done();
    else this.#resume = done;
  }
}

export function memoryPipe(): [Duplex, Duplex] {
  const [left, right] = [new PipeEnd(), new PipeEnd()];
  left.other = right;
  right.other = left;
  return [left, right];
}

/** Let everything that is under way in memory arrive. No time passes on a manual clock. */
export async function settled(turns = 40): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
