/**
 * Looks at every state a small model can reach, breadth first, so that what is found wrong first has a shortest story.
 *
 *   initial ──steps──▶ states, each once ──▶ wrong in itself?                       a violation, with its trace
 *                                       └──▶ no way to rest without further faults?  a hang, with its trace
 *
 * States are plain data: their JSON is their identity, and parsing it again is the copy that a step may change.
 */

/** One thing that may happen; it changes the copy that it is given. */
export interface Step<S> {
  readonly label: string;
  /** Faults may strike, and need not: whoever waits must get on without them. */
  readonly isFault: boolean;
  readonly act: (state: S) => void;
}

export interface Model<S> {
  readonly initial: S;
  steps(state: S): Step<S>[];
  /** What must never be, or null. */
  wrong(state: S): string | null;
  /** Nothing is under way; what must hold then is part of `wrong`. */
  isRest(state: S): boolean;
}

export interface Exploration {
  readonly stateCount: number;
  /** The scope was larger than allowed: what was seen is sound, the rest was not looked at. */
  readonly isCut: boolean;
  readonly violation: { readonly why: string; readonly trace: readonly string[] } | null;
}

/** @param statesMax more states than this are not looked at. */
export function explore<S>(model: Model<S>, statesMax: number): Exploration {
  const graph = new Graph();
  graph.add(JSON.stringify(model.initial), -1, "");
  for (let at = 0; at < graph.size; at++) {
    const key = graph.keyOf(at);
    const state = JSON.parse(key) as S; // written by this function
    const why = model.wrong(state);
    if (why !== null) return { stateCount: graph.size, isCut: false, violation: { why, trace: graph.trace(at) } };
    if (model.isRest(state)) graph.rests.push(at);
    for (const step of model.steps(state)) {
      const next = JSON.parse(key) as S; // as above
      step.act(next);
      const to = graph.add(JSON.stringify(next), at, step.label);
      if (!step.isFault) graph.connect(at, to);
    }
    if (graph.size > statesMax) return { stateCount: graph.size, isCut: true, violation: null };
  }
  const hung = graph.firstWithoutRest();
  const why = "nothing that can still happen by itself leads to rest";
  const violation = hung < 0 ? null : { why, trace: graph.trace(hung) };
  return { stateCount: graph.size, isCut: false, violation };
}

/** The states seen, how each was reached first, and the ways between them that need no fault. */
class Graph {
  readonly rests: number[] = [];
  readonly #at = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #parents: number[] = [];
  readonly #labels: string[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  keyOf(at: number): string {
    return this.#keys[at] ?? "";
  }

  add(key: string, parent: number, label: string): number {
    const known = this.#at.get(key);
    if (known !== undefined) return known;
    const at = this.#keys.length;
    this.#at.set(key, at);
    this.#keys.push(key);
    this.#parents.push(parent);
    this.#labels.push(label);
    return at;
  }

  connect(from: number, to: number): void {
    this.#from.push(from);
    this.#to.push(to);
  }

  trace(at: number): string[] {
    const labels: string[] = [];
    for (let i = at; i > 0; i = this.#parents[i] ?? 0) labels.unshift(this.#labels[i] ?? "");
    return labels;
  }

  /** The state reached first from which rest cannot be reached; −1: there is none. */
  firstWithoutRest(): number {
    const before = this.#reversed();
    const reaches = new Uint8Array(this.size);
    const open = [...this.rests];
    for (const at of open) reaches[at] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const from of before.get(at) ?? []) {
        if (reaches[from] === 1) continue;
        reaches[from] = 1;
        open.push(from);
      }
    }
    return reaches.indexOf(0);
  }

  #reversed(): Map<number, number[]> {
    const before = new Map<number, number[]>();
    for (let i = 0; i < this.#to.length; i++) {
      const to = this.#to[i] ?? 0;
      const list = before.get(to);
      if (list === undefined) before.set(to, [this.#from[i] ?? 0]);
      else list.push(this.#from[i] ?? 0);
    }
    return before;
  }
}
