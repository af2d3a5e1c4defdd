// What Uppy does in the page of uppy_client.py; esbuild puts it and its packages into one file.
import Uppy from "@uppy/core";
import Tus from "@uppy/tus";

/** Uploads the file that `input` holds, and returns the upload's address. */
window.uploadWithUppy = async (input, endpoint, options) => {
  const uppy = new Uppy({ autoProceed: false });
  uppy.use(Tus, {
    endpoint,
    retryDelays: [0, 200, 500, 1000, 2000, 4000],
    allowedMetaFields: ["name"],
    ...options,
  });
  const [file] = input.files;
  uppy.addFile({ name: file.name, type: file.type, data: file });
  const { successful, failed } = await uppy.upload();
  if (!successful?.length) {
    throw new Error(failed?.[0]?.error ?? "not uploaded");
  }
  return successful[0].uploadURL;
};
