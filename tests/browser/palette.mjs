// A screenshot with at most 256 colours: text and panels need few, and a palette makes the file a third as large.

import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");
const MOST = 256;

// The same picture as an indexed PNG (ISO/IEC 15948). Takes 8-bit RGB and RGBA, not interlaced, as Chromium writes them.
export function smaller(png) {
  const { width, height, pixels } = decoded(png);
  const { palette, indices } = indexed(pixels);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) lines.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const table = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const parts = [["IHDR", header], ["PLTE", table], ["IDAT", deflateSync(lines, { level: 9 })], ["IEND", Buffer.alloc(0)]];
  return Buffer.concat([SIGNATURE, ...parts.map(([kind, content]) => chunk(kind, content))]);
}

function decoded(png) {
  const data = [];
  let header = null;
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const kind = png.toString("latin1", at + 4, at + 8);
    const content = png.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") header = content;
    if (kind === "IDAT") data.push(content);
    at += 12 + length;
  }
  const [width, height, size] = [header.readUInt32BE(0), header.readUInt32BE(4), header[9] === 6 ? 4 : 3];
  return { width, height, pixels: colours(unfiltered(inflateSync(Buffer.concat(data)), width * size, height, size), size) };
}

// §9.2: each line says how it was written as differences to what stands left of it and above.
function unfiltered(raw, stride, height, size) {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= size ? out[at - size] : 0;
      const up = y ? out[at - stride] : 0;
      const corner = y && x >= size ? out[at - stride - size] : 0;
      const guess = [0, left, up, (left + up) >> 1, nearest(left, up, corner)][filter];
      out[at] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function nearest(left, up, corner) {
  const [a, b, c] = [left, up, corner].map((each) => Math.abs(left + up - corner - each));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function colours(bytes, size) {
  const pixels = new Uint32Array(bytes.length / size);
  for (let at = 0; at < pixels.length; at++) pixels[at] = (bytes[at * size] << 16) | (bytes[at * size + 1] << 8) | bytes[at * size + 2];
  return pixels;
}

// The most frequent colours, and for each other one the nearest of them.
function indexed(pixels) {
  const counts = new Map();
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const all = [...counts].sort((one, other) => other[1] - one[1]).map(([colour]) => colour);
  const palette = all.slice(0, MOST);
  const numbers = new Map(palette.map((colour, at) => [colour, at]));
  for (const colour of all.slice(MOST)) numbers.set(colour, nearestOf(palette, colour));
  return { palette, indices: Uint8Array.from(pixels, (colour) => numbers.get(colour)) };
}

function nearestOf(palette, colour) {
  const parts = (each) => [each >> 16, (each >> 8) & 255, each & 255];
  const wanted = parts(colour);
  const distance = (each) => parts(each).reduce((sum, part, at) => sum + (part - wanted[at]) ** 2, 0);
  return palette.reduce((best, each, at) => (distance(each) < distance(palette[best]) ? at : best), 0);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function chunk(kind, content) {
  const named = Buffer.concat([Buffer.from(kind, "latin1"), content]);
  let check = 0xffffffff;
  for (const byte of named) check = TABLE[(check ^ byte) & 255] ^ (check >>> 8);
  const made = Buffer.alloc(named.length + 8);
  made.writeUInt32BE(content.length, 0);
  made.set(named, 4);
  made.writeUInt32BE((check ^ 0xffffffff) >>> 0, named.length + 4);
  return made;
}
