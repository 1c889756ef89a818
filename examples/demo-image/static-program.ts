/**
 * A complete Linux program in a few hundred bytes: it writes a text to its standard output and
 * exits. Assembled here, byte for byte, so that the demo image has a real entrypoint for two
 * architectures without a compiler.
 *
 * The file is a static ELF executable: the file header, one program header which loads the whole
 * file, the machine code, the text. https://refspecs.linuxfoundation.org/elf/elf.pdf
 */

/** The names that OCI platforms use: https://go.dev/doc/install/source#environment */
export type Architecture = "amd64" | "arm64";

const fileHeaderBytes = 64;
const programHeaderBytes = 56;
const codeOffset = fileHeaderBytes + programHeaderBytes;
/** Where the kernel maps the file; a multiple of every page size in use, 64 KiB included. */
const loadAddress = 0x400000;
const loadAlignment = 0x10000;
/** The text's length must fit the one 16-bit move that loads it on arm64. */
const textBytesLimit = 0xffff;

const elfMachine = { amd64: 62, arm64: 183 } as const;

/**
 * The program writes `text` in UTF-8 and exits with 0, or with 1 when the whole text was not taken.
 * @throws RangeError when the text is longer than 65,535 bytes
 */
export function staticProgram(architecture: Architecture, text: string): Uint8Array<ArrayBuffer> {
  const textBytes = new TextEncoder().encode(text);
  if (textBytes.length > textBytesLimit) {
    throw new RangeError(`the text has ${textBytes.length} bytes, more than ${textBytesLimit}`);
  }
  const code = machineCode[architecture](textBytes.length);
  const file = new Uint8Array(codeOffset + code.length + textBytes.length);
  file.set(code, codeOffset);
  file.set(textBytes, codeOffset + code.length);

  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46]); // "\x7fELF"
  file.set([2, 1, 1, 0], 4); // 64 bits, little endian, ELF version 1, System V
  view.setUint16(16, 2, true); // an executable at a fixed address
  view.setUint16(18, elfMachine[architecture], true);
  view.setUint32(20, 1, true); // ELF version 1
  view.setBigUint64(24, BigInt(loadAddress + codeOffset), true); // the first instruction
  view.setBigUint64(32, BigInt(fileHeaderBytes), true); // where the program header is
  view.setUint16(52, fileHeaderBytes, true);
  view.setUint16(54, programHeaderBytes, true);
  view.setUint16(56, 1, true); // one program header
  view.setUint16(58, 64, true); // the size of a section header, of which there is none

  const header = fileHeaderBytes;
  view.setUint32(header, 1, true); // load
  view.setUint32(header + 4, 5, true); // read and execute
  view.setBigUint64(header + 8, 0n, true); // from the start of the file
  view.setBigUint64(header + 16, BigInt(loadAddress), true); // virtual address
  view.setBigUint64(header + 24, BigInt(loadAddress), true); // physical address, unused
  view.setBigUint64(header + 32, BigInt(file.length), true); // bytes in the file
  view.setBigUint64(header + 40, BigInt(file.length), true); // bytes in memory
  view.setBigUint64(header + 48, BigInt(loadAlignment), true);
  return file;
}

/** Both programs are: write(1, text, length); exit(result == length ? 0 : 1). */
const machineCode: Record<Architecture, (textBytes: number) => Uint8Array> = {
  amd64: amd64Code,
  arm64: arm64Code,
};

const littleEndian32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 24) & 0xff,
];

/** Linux x86-64: number in rax, arguments in rdi, rsi, rdx; write is 1, exit is 60. */
function amd64Code(textBytes: number): Uint8Array {
  const afterAddress = [
    ...[0xba, ...littleEndian32(textBytes)], // mov edx, length
    ...[0x0f, 0x05], //                         syscall
    ...[0x31, 0xff], //                         xor edi, edi
    ...[0x39, 0xd0], //                         cmp eax, edx
    ...[0x40, 0x0f, 0x95, 0xc7], //             setne dil
    ...[0xb8, ...littleEndian32(60)], //        mov eax, exit
    ...[0x0f, 0x05], //                         syscall
  ];
  return Uint8Array.from([
    ...[0xb8, ...littleEndian32(1)], //         mov eax, write
    ...[0xbf, ...littleEndian32(1)], //         mov edi, standard output
    // lea rsi, [rip + distance]: the text begins where the code ends.
    ...[0x48, 0x8d, 0x35, ...littleEndian32(afterAddress.length)],
    ...afterAddress,
  ]);
}

/** Linux arm64: number in x8, arguments in x0, x1, x2; write is 64, exit is 93. */
function arm64Code(textBytes: number): Uint8Array {
  /** movz x<register>, #value */
  const move = (register: number, value: number) => 0xd2800000 | (value << 5) | register;
  const supervisorCall = 0xd4000001; // svc #0
  const words: ((index: number, count: number) => number)[] = [
    () => move(0, 1), // standard output
    // adr x1, text: the distance from this instruction, a multiple of 4, goes to bits 5 to 23.
    (index, count) => 0x10000001 | ((count - index) << 5),
    () => move(2, textBytes),
    () => move(8, 64), // write
    () => supervisorCall,
    () => 0xeb02001f, // cmp x0, x2
    () => 0x9a9f07e0, // cset x0, ne
    () => move(8, 93), // exit
    () => supervisorCall,
  ];
  return Uint8Array.from(
    words.flatMap((word, index) => littleEndian32(word(index, words.length) >>> 0)),
  );
}
