/**
 * The part of Python's pickle format that state dictionaries of PyTorch need. A pickle is a program for a small stack machine, which
 * can call any function of Python; this reader knows a few opcodes, calls nothing, and refuses everything else.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */

/** A function or class that a pickle names. */
export class PickledName {
  constructor(readonly name: string) {}
}

/** A call that a pickle wants: not made, only described. */
export class PickledCall {
  constructor(
    readonly name: string,
    readonly args: readonly unknown[],
  ) {}
}

/** A value that is stored beside the pickle. */
export class PickledReference {
  constructor(readonly id: unknown) {}
}

/** What is wrong with a pickle. */
export class PickleError extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const MARK = Symbol("mark");

/** Reads bytes from front to back. */
class Bytes {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next bytes; `size` of them. */
  take(size: number): Uint8Array {
    if (this.at + size > this.bytes.length) throw new PickleError("it ends too early");
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  unsigned(size: 1 | 2 | 4): number {
    return this.take(size).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  signed(): number {
    return this.unsigned(4) | 0;
  }

  float(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8);
  }

  /** A little-endian number in two's complement. */
  long(): number {
    const bytes = this.take(this.unsigned(1));
    const value = bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    return Number(BigInt.asIntN(8 * bytes.length, value));
  }

  text(size: number): string {
    return utf8.decode(this.take(size));
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new PickleError("it ends too early");
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }
}

/** The stack machine. */
class Machine {
  readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(readonly bytes: Bytes) {}

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) throw new PickleError("its stack is empty");
    return this.stack.pop();
  }

  /** Everything above the last mark. */
  popToMark(): unknown[] {
    const start = this.stack.lastIndexOf(MARK);
    if (start < 0) throw new PickleError("a mark is missing");
    return this.stack.splice(start).slice(1);
  }

  popTuple(size: number): void {
    if (this.stack.length < size) throw new PickleError("its stack is empty");
    this.push(this.stack.splice(this.stack.length - size));
  }

  remember(index: number): void {
    this.memo.set(index, this.stack.at(-1));
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw new PickleError(`it recalls value ${index}, which it never made`);
    this.push(this.memo.get(index));
  }

  call(): void {
    const [args, callee] = [this.pop(), this.pop()];
    if (!(callee instanceof PickledName) || !Array.isArray(args)) throw new PickleError("it calls what is no function");
    // The one class whose instances are filled afterwards.
    this.push(
      callee.name === "collections.OrderedDict" && args.length === 0 ? new Map() : new PickledCall(callee.name, args),
    );
  }

  setItems(items: readonly unknown[]): void {
    const target = this.stack.at(-1);
    if (!(target instanceof Map) || items.length % 2 !== 0) throw new PickleError("it fills what is no dictionary");
    for (let k = 0; k < items.length; k += 2) target.set(items[k], items[k + 1]);
  }

  append(items: readonly unknown[]): void {
    const target = this.stack.at(-1);
    if (!Array.isArray(target)) throw new PickleError("it extends what is no list");
    target.push(...items);
  }
}

const OPCODES: ReadonlyMap<string, (machine: Machine) => void> = new Map<string, (machine: Machine) => void>([
  ["\x80", ({ bytes }) => void bytes.take(1)],
  ["\x95", ({ bytes }) => void bytes.take(8)],
  ["(", (m) => m.push(MARK)],
  [")", (m) => m.push([])],
  ["t", (m) => m.push(m.popToMark())],
  ["\x85", (m) => m.popTuple(1)],
  ["\x86", (m) => m.popTuple(2)],
  ["\x87", (m) => m.popTuple(3)],
  ["]", (m) => m.push([])],
  ["a", (m) => m.append([m.pop()])],
  ["e", (m) => m.append(m.popToMark())],
  ["}", (m) => m.push(new Map())],
  ["s", (m) => m.setItems([m.pop(), m.pop()].reverse())],
  ["u", (m) => m.setItems(m.popToMark())],
  ["N", (m) => m.push(null)],
  ["\x88", (m) => m.push(true)],
  ["\x89", (m) => m.push(false)],
  ["K", (m) => m.push(m.bytes.unsigned(1))],
  ["M", (m) => m.push(m.bytes.unsigned(2))],
  ["J", (m) => m.push(m.bytes.signed())],
  ["\x8a", (m) => m.push(m.bytes.long())],
  ["G", (m) => m.push(m.bytes.float())],
  ["X", (m) => m.push(m.bytes.text(m.bytes.unsigned(4)))],
  ["\x8c", (m) => m.push(m.bytes.text(m.bytes.unsigned(1)))],
  ["c", (m) => m.push(new PickledName(`${m.bytes.line()}.${m.bytes.line()}`))],
  ["R", (m) => m.call()],
  ["Q", (m) => m.push(new PickledReference(m.pop()))],
  ["q", (m) => m.remember(m.bytes.unsigned(1))],
  ["r", (m) => m.remember(m.bytes.unsigned(4))],
  ["h", (m) => m.recall(m.bytes.unsigned(1))],
  ["j", (m) => m.recall(m.bytes.unsigned(4))],
  ["b", (m) => void m.pop()], // attributes, such as the versions of modules that a state dictionary carries
]);

/**
 * Reads a pickle: texts, numbers, lists and tuples (arrays), dictionaries (Maps). Calls are described, not made.
 * @throws PickleError if the bytes are damaged, or hold something else
 */
export function readPickle(data: Uint8Array): unknown {
  const machine = new Machine(new Bytes(data));
  for (;;) {
    const opcode = String.fromCharCode(machine.bytes.unsigned(1));
    if (opcode === ".") return machine.pop();
    const execute = OPCODES.get(opcode);
    if (execute === undefined)
      throw new PickleError(`the opcode 0x${opcode.charCodeAt(0).toString(16)} has no place in it`);
    execute(machine);
  }
}

/** Writes a pickle, protocol 2: whole numbers of 32 bits, texts, tuples (arrays), dictionaries (Maps), `false`, and the classes above. */
export function writePickle(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [];
  const bytes = (...values: number[]) => void parts.push(Uint8Array.from(values));
  const code = (opcode: string) => bytes(opcode.charCodeAt(0));
  const word = (number: number) => bytes(number & 255, (number >> 8) & 255, (number >> 16) & 255, (number >> 24) & 255);
  const utf8Of = (text: string) => new TextEncoder().encode(text);
  const call = (name: string, args: readonly unknown[]) => {
    write(new PickledName(name));
    write(args);
    code("R");
  };
  const write = (one: unknown): void => {
    if (one === false) code("\x89");
    else if (typeof one === "number") {
      code("J");
      word(one);
    } else if (typeof one === "string") {
      const text = utf8Of(one);
      code("X");
      word(text.length);
      parts.push(text);
    } else if (Array.isArray(one)) {
      code("(");
      one.forEach(write);
      code("t");
    } else if (one instanceof Map) {
      code("}");
      code("(");
      for (const item of one) item.forEach(write);
      code("u");
    } else if (one instanceof PickledName) {
      const [module, name] = [
        one.name.slice(0, one.name.lastIndexOf(".")),
        one.name.slice(one.name.lastIndexOf(".") + 1),
      ];
      parts.push(utf8Of(`c${module}\n${name}\n`));
    } else if (one instanceof PickledCall) call(one.name, one.args);
    else if (one instanceof PickledReference) {
      write(one.id);
      code("Q");
    } else throw new PickleError(`${typeof one} cannot be written`);
  };
  bytes(0x80, 2);
  write(value);
  code(".");
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let next = 0;
  for (const part of parts) {
    whole.set(part, next);
    next += part.length;
  }
  return whole;
}
