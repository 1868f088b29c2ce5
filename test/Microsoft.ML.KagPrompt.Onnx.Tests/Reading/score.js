// node score.js FILE.onnx (RGB WIDTH HEIGHT)...   a line of JSON an image: its verdict in a runtime that is not .NET's
const fs = require("fs");
const ort = require("onnxruntime-node");

(async () => {
  const [file, ...images] = process.argv.slice(2);
  const session = await ort.InferenceSession.create(file);
  for (let i = 0; i < images.length; i += 3) {
    const [width, height] = [Number(images[i + 1]), Number(images[i + 2])];
    const image = new ort.Tensor("uint8", new Uint8Array(fs.readFileSync(images[i])), [1, height, width, 3]);
    const found = await session.run({ image });
    console.log(JSON.stringify({
      score: found.score.data[0], probability: found.probability.data[0], unlikeness: found.unlikeness.data[0],
      isAnomalous: Boolean(found.is_anomalous.data[0]), isForeign: Boolean(found.is_foreign.data[0]), map: Array.from(found.anomaly_map.data),
    }));
  }
})();
