/** Images of another size: each new pixel is the mean of the area of the old image that it covers. */
import type { Image } from "./image.ts";

/** How an image of other proportions fits: all of it squeezed, or cut or filled up with black on two sides alike. */
export type Fit = "stretch" | "crop" | "pad";

/** @returns the image itself if it has the size already */
export function resized(image: Image, [height, width]: readonly [number, number], fit: Fit): Image {
  if (image.height === height && image.width === width) return image;
  const { channels } = image;
  const [tall, wide] = extent(image, [height, width], fit);
  const rows = coverage(image.height, height, tall);
  const columns = coverage(image.width, width, wide);
  const values = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (const [row, high] of rows[y]!)
          for (const [column, broad] of columns[x]!)
            sum += high * broad * image.values[(row * image.width + column) * channels + channel]!;
        values[(y * width + x) * channels + channel] = sum;
      }
  return { ...image, height, width, values };
}

/** Height and width of the stretch of the old image that the new one shows, about its middle. */
function extent(image: Image, [height, width]: readonly [number, number], fit: Fit): readonly [number, number] {
  if (fit === "stretch") return [image.height, image.width];
  const choose = fit === "crop" ? Math.min : Math.max;
  const scale = choose(image.height / height, image.width / width);
  return [height * scale, width * scale];
}

/** Of each new pixel along one side: the old pixels that it covers, and their shares of it; outside is nothing. */
function coverage(old: number, count: number, shown: number): (readonly [pixel: number, share: number])[][] {
  const start = (old - shown) / 2;
  const length = shown / count;
  return Array.from({ length: count }, (_, i) => {
    const [from, until] = [start + i * length, start + (i + 1) * length];
    const covered: (readonly [number, number])[] = [];
    for (let pixel = Math.max(0, Math.floor(from)); pixel < Math.min(old, until); pixel++) {
      const share = (Math.min(until, pixel + 1) - Math.max(from, pixel)) / length;
      if (share > 0) covered.push([pixel, share]);
    }
    return covered;
  });
}
