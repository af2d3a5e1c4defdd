// The uploads that this browser has begun and not ended, kept beyond the page and the browser.
const PREFIX = "unfinished-upload::";

/** Return the value that the browser keeps under `key`, null where that is none of ours. */
function entry(key) {
  try {
    return { ...JSON.parse(localStorage.getItem(key)), urlStorageKey: key };
  } catch {
    return null;
  }
}

/** Return those under a key that begins with `prefix`, newest first. */
function entries(prefix) {
  const begun = ({ creationTime }) => new Date(creationTime);
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    const found = keys.map(entry).filter(Boolean);
    return found.sort((one, other) => begun(other) - begun(one));
  } catch {
    return []; // the browser keeps nothing
  }
}

/** What tus-js-client calls a URL storage. Theirs starts anew again and again when it is full. */
export const memory = {
  async findAllUploads() {
    return entries(PREFIX);
  },

  async findUploadsByFingerprint(fingerprint) {
    return entries(`${PREFIX}${fingerprint}::`);
  },

  async addUpload(fingerprint, upload) {
    const key = `${PREFIX}${fingerprint}::${Date.now()}${Math.random()}`;
    try {
      localStorage.setItem(key, JSON.stringify(upload));
    } catch {
      // Without it the upload goes on as well, only not after a reload.
    }
    return key;
  },

  async removeUpload(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing was kept.
    }
  },
};

/** Forget the upload at `url`. */
export function forget(url) {
  const known = entries(PREFIX).filter(({ uploadUrl }) => uploadUrl === url);
  known.forEach(({ urlStorageKey }) => memory.removeUpload(urlStorageKey));
}

const held = new Map(); // by URL: what lets go

/**
 * Take the upload at `url` for this page; resolves to false where this page or another
 * one sends it, for two that send the same would take it from each other at every piece.
 * Other pages can only be seen in a secure context.
 */
export function hold(url) {
  if (held.has(url)) return Promise.resolve(false);
  held.set(url, () => {});
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks.request(`upload ${url}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        held.delete(url);
        resolve(false);
        return undefined;
      }
      return new Promise((letGo) => {
        if (held.has(url)) held.set(url, letGo);
        else letGo();
        resolve(true);
      });
    });
  });
}

/** Let others send what was taken with `hold`. */
export function release(url) {
  held.get(url)?.();
  held.delete(url);
}

/** Take the first of `uploads` that is free, and return it. */
export async function holdFirst(uploads) {
  for (const upload of uploads) {
    if (await hold(upload.uploadUrl)) return upload;
  }
  return null;
}
