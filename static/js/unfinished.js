// Tells of large uploads that were begun in this browser and not ended.
import { forget, hold, memory, release } from "./memory.js";
import { deleteUpload, fetchUpload, isGone } from "./server.js";
import { announce, fill, inBytes, notify } from "./words.js";

/** Return whether a page sends the upload. */
async function isSent(url) {
  const isFree = await hold(url);
  if (isFree) release(url);
  return !isFree;
}

const LONG_AGO_MS = 30 * 24 * 3600 * 1000;

/**
 * Return how the upload stands, null where there is nothing to go on with or to say.
 * One that isn't found may be that of somebody who is not signed in now: it is kept in mind.
 */
async function standing(url, begun) {
  const { status, body } = await fetchUpload(url);
  const isOld = status === 404 && Date.now() - Date.parse(begun) > LONG_AGO_MS;
  const isOver = status === 410 || (body && ["stored", "duplicate"].includes(body.state));
  if (isOver || isOld) forget(url);
  return status === 200 && body.state === "receiving" ? body : null;
}

function nameOf(item) {
  return item.querySelector('[data-slot="name"]').textContent;
}

/** Return the day of `moment` where the reader is. */
function dayOf(moment) {
  const { lang } = document.documentElement;
  return new Intl.DateTimeFormat(lang, { day: "numeric", month: "short" }).format(new Date(moment));
}

/** `says` holds the page's sentences, as the data- attributes of #upload. */
export class UnfinishedList {
  #section;
  #template;
  #says;
  #items = new Map(); // by URL
  #asking = null; // the button whose next press discards

  constructor(section, template, says) {
    this.#section = section;
    this.#template = template;
    this.#says = says;
    section.addEventListener("focusout", () => this.#stopAsking());
    section.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#stopAsking();
      if (event.repeat && event.target === this.#asking) event.preventDefault(); // no second press
    });
    // Safari would take the focus away from a button that is pressed.
    section.addEventListener("mousedown", (event) => {
      if (this.#asking?.contains(event.target)) event.preventDefault();
    });
  }

  /** Ask the server for those that this browser remembers of `endpoint`, and show them. */
  async show(endpoint) {
    for (const { uploadUrl: url, creationTime } of await memory.findAllUploads()) {
      if (url?.startsWith(endpoint) && !(await isSent(url))) await this.showOne(url, creationTime);
    }
  }

  /** Show the upload at `url`, if the server has it. */
  async showOne(url, begun) {
    const upload = await standing(url, begun);
    if (upload && !this.#items.has(url)) this.#add(url, upload);
  }

  /** Say no more of the upload at `url`. */
  remove(url) {
    this.#items.get(url)?.remove();
    this.#items.delete(url);
    this.#section.hidden = !this.#items.size;
  }

  /** Ask at the first press of `button`; discard at the next one, and tell `onDiscarded` the URL. */
  async press(button, onDiscarded) {
    const [url, item] = [...this.#items].find(([, each]) => each.contains(button));
    if (this.#asking !== button) {
      this.#ask(button, item);
      return;
    }
    this.#stopAsking();
    if (await this.#discard(url, item)) onDiscarded(url);
  }

  #ask(button, item) {
    this.#stopAsking();
    button.focus(); // or leaving it would not be noticed
    this.#asking = button;
    this.#label(button, nameOf(item));
    announce(fill(this.#says.discardAsk, { name: nameOf(item) }));
  }

  #stopAsking() {
    const button = this.#asking;
    this.#asking = null;
    if (button) this.#label(button, nameOf(button.closest("li")));
  }

  #label(button, name) {
    const isAsking = this.#asking === button;
    const [text, label] = isAsking ? ["discardReally", "discardReallyName"] : ["discard", "discardName"];
    button.textContent = this.#says[text];
    button.setAttribute("aria-label", fill(this.#says[label], { name }));
    button.classList.toggle("btn-danger", isAsking);
    button.classList.toggle("btn-outline-danger", !isAsking);
  }

  /** Let the server forget the upload at `url`; return whether it did. */
  async #discard(url, item) {
    const name = nameOf(item);
    const { status, detail } = await deleteUpload(url);
    if (!isGone(status)) {
      const reason = status ? detail : this.#says.offline;
      notify(fill(this.#says.discardFailed, { name, reason }), "danger");
      return false;
    }
    forget(url);
    // Not to the next one of the list: whoever pressed twice may press again.
    document.querySelector('#upload [data-action="choose"]').focus();
    this.remove(url);
    announce(fill(this.#says.discarded, { name }));
    return true;
  }

  #add(url, { name, offset, size, expires_at: expiresAt }) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    const slot = (slotName) => item.querySelector(`[data-slot="${slotName}"]`);
    slot("name").textContent = name;
    const numbers = { sent: inBytes(offset), size: inBytes(size), date: dayOf(expiresAt) };
    slot("sent").textContent = fill(this.#says.unfinished, numbers);
    const progress = slot("progress");
    progress.value = offset / size;
    progress.setAttribute("aria-label", name);
    this.#label(item.querySelector('[data-action="discard"]'), name);
    this.#items.set(url, item);
    this.#section.querySelector("ul").append(item);
    this.#section.hidden = false;
  }
}
