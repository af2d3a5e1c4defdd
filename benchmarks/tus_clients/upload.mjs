// Uploads a file with tus-js-client, going on where an earlier run of this program was ended.
//
//     node upload.mjs '{"endpoint": ..., "file": ..., "storage": ..., "options": {...}}'
//
// Prints the upload's address. `options` are those of tus.Upload; a chunkSize of null is none.
import fs from "node:fs";
import path from "node:path";
import * as tus from "tus-js-client";

const { endpoint, file, storage, options } = JSON.parse(process.argv[2]);
try {
  JSON.parse(fs.readFileSync(storage, "utf8") || "{}");
} catch {
  // None yet, or its writer was killed in the middle: FileUrlStorage would refuse it for ever.
  fs.rmSync(storage, { force: true });
}
// Left by a killed process, it would be believed for 10 s.
fs.rmSync(`${storage}.lock`, { recursive: true, force: true });

const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint,
  metadata: { filename: path.basename(file) },
  retryDelays: [0, 200, 500, 1000, 2000, 4000],
  urlStorage: new tus.FileUrlStorage(storage),
  ...options,
  chunkSize: options.chunkSize ?? Infinity,
  onSuccess() {
    console.log(upload.url);
    process.exit(0);
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
});
const [previous] = await upload.findPreviousUploads();
if (previous) {
  upload.resumeFromPreviousUpload(previous);
}
upload.start();
