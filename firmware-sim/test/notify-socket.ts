/**
 * The end of NOTIFY_SOCKET that systemd would hold: keeps every word, closes the descriptors that come with barriers.
 * Node has no datagram sockets in the file system, so a few lines of Python listen.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { until } from "../src/rehearse/child.js";

const LISTEN = `
import json, os, socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + name[1:] if name.startswith("@") else name)
print(json.dumps("listening"), flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(s, 65536, 16)
    for fd in fds:
        os.close(fd)
    print(json.dumps(data.decode()), flush=True)
`;

/** A socket of the service manager. */
export class NotifySocket {
  /** Every assignment heard, in order; barriers left out. */
  readonly words: string[] = [];
  readonly #python: ChildProcess;

  private constructor(python: ChildProcess) {
    this.#python = python;
  }

  /** @param name a path, or `@` and a name in the abstract space */
  static async listen(python: string, name: string): Promise<NotifySocket> {
    const child = spawn(python, ["-c", LISTEN, name], { stdio: ["ignore", "pipe", "inherit"] });
    const socket = new NotifySocket(child);
    let isListening = false;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const text = String(JSON.parse(line));
      if (text === "listening") isListening = true;
      else socket.words.push(...text.split("\n").filter((word) => word !== "" && word !== "BARRIER=1"));
    });
    await until("the notify socket is open", () => isListening);
    return socket;
  }

  count(word: string): number {
    return this.words.filter((known) => known === word).length;
  }

  /** Waits until the word was heard so many times. */
  hears(word: string, times = 1): Promise<void> {
    return until(`the gateway says ${word}`, () => this.count(word) >= times, 30_000);
  }

  end(): void {
    this.#python.kill("SIGKILL");
  }
}
