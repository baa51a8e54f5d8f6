/** PNG and JPEG images as pixels. The decoders are fast-png and jpeg-js; sizes are checked before they decode. */
import { convertIndexedToRgb, decode as decodePng } from "fast-png";
import jpeg from "jpeg-js";
import { VerisumError } from "../../protocol/errors.ts";

/** Pixels of one image: what is trained on here is far smaller. */
const MAX_PIXELS = 1 << 24;
const MAX_MEMORY_MB = 512;
/** Weights of red, green and blue in a grey value (ITU-R BT.601). */
const GREY = [0.299, 0.587, 0.114] as const;

export interface Image {
  readonly height: number;
  readonly width: number;
  /** Grey, or red, green and blue. */
  readonly channels: 1 | 3;
  /** In [0, 1], row by row, the channels of a pixel together. */
  readonly values: Float32Array;
}

/** @throws DATASET_MALFORMED for what is neither, is cut off, or has transparent pixels; DATASET_TOO_LARGE */
export function decodeImage(bytes: Uint8Array, path: string): Image {
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  if (!isPng && !(bytes[0] === 0xff && bytes[1] === 0xd8))
    throw malformed(path, "it is neither a PNG nor a JPEG image");
  try {
    return isPng ? fromPng(bytes, path) : fromJpeg(bytes);
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    throw malformed(path, `it cannot be decoded: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Grey out of colours, or three equal channels out of grey. */
export function withChannels(image: Image, channels: 1 | 3): Image {
  if (image.channels === channels) return image;
  const pixels = image.height * image.width;
  const values = new Float32Array(pixels * channels);
  for (let i = 0; i < pixels; i++)
    if (channels === 3) values.fill(image.values[i]!, 3 * i, 3 * i + 3);
    else values[i] = GREY.reduce((sum, weight, channel) => sum + weight * image.values[3 * i + channel]!, 0);
  return { ...image, channels, values };
}

function fromPng(bytes: Uint8Array, path: string): Image {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels = bytes.length < 24 ? 0 : header.getUint32(16) * header.getUint32(20);
  if (pixels > MAX_PIXELS)
    throw new VerisumError("DATASET_TOO_LARGE", `${path} has more than ${MAX_PIXELS} pixels`, { path });
  const decoded = decodePng(bytes, { checkCrc: true });
  const { height, width, depth } = decoded;
  if (decoded.transparency !== undefined) throw malformed(path, "it names a transparent colour");
  if (decoded.palette !== undefined) {
    const size = (decoded.palette[0]?.length ?? 3) as 3 | 4;
    return opaque({ height, width, channels: size, data: convertIndexedToRgb(decoded), most: 255 }, path);
  }
  if (depth < 8) throw malformed(path, `it has ${depth} bits a pixel, and 8 or 16 are read`);
  return opaque({ height, width, channels: decoded.channels, data: decoded.data, most: 2 ** depth - 1 }, path);
}

function fromJpeg(bytes: Uint8Array): Image {
  const { height, width, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: MAX_PIXELS / 1e6,
    maxMemoryUsageInMB: MAX_MEMORY_MB,
  });
  const values = Float32Array.from(data, (value) => value / 255);
  return greyIfGrey({ height, width, channels: 3, values });
}

/** The decoder gives a grey JPEG three equal channels. */
function greyIfGrey(image: Image): Image {
  const { height, width, values } = image;
  for (let i = 0; i < values.length; i += 3)
    if (values[i] !== values[i + 1] || values[i] !== values[i + 2]) return image;
  return {
    height,
    width,
    channels: 1,
    values: Float32Array.from({ length: height * width }, (_, i) => values[3 * i]!),
  };
}

interface Decoded {
  readonly height: number;
  readonly width: number;
  /** Two and four have transparency as the last one. */
  readonly channels: number;
  readonly data: ArrayLike<number>;
  readonly most: number;
}

/** @throws DATASET_MALFORMED for a pixel that is not opaque: what lies behind it is not known */
function opaque({ height, width, channels, data, most }: Decoded, path: string): Image {
  const colours = channels <= 2 ? 1 : 3;
  const pixels = height * width;
  const values = new Float32Array(pixels * colours);
  for (let i = 0; i < pixels; i++) {
    if (channels > colours && data[i * channels + colours] !== most) throw malformed(path, "it has transparent pixels");
    for (let channel = 0; channel < colours; channel++)
      values[i * colours + channel] = data[i * channels + channel]! / most;
  }
  return { height, width, channels: colours, values };
}

function malformed(path: string, problem: string): VerisumError {
  return new VerisumError("DATASET_MALFORMED", `${path}: ${problem}; write the image again, or take it out`, { path });
}
