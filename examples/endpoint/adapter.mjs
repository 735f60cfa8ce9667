export const sampleShape = [3, 32, 32];
export const outputs = 16;
export const batch = 16; // the most images that the API takes at once

export async function predict(samples, count, signal) {
  const images = Array.from({ length: count }, (_, i) => [...samples.subarray(3072 * i, 3072 * (i + 1))]);
  const url = process.env.CLASSIFY_URL ?? 'http://127.0.0.1:8089/classify';
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ images }), signal });
  if (!response.ok) throw new Error(`status ${response.status}: ${await response.text()}`);
  return (await response.json()).probabilities;
}
