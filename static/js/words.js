// Sentences come from the page, translated; here they get their names and numbers.

/** Return `sentence` with each `{name}` replaced by `values.name`. */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Return a number of bytes in words as the server does: 1 KB is 1,024 bytes. */
export function inBytes(size) {
  const units = document.body.dataset.units.split(" ");
  let power = 0;
  while (size >= 1024 && power < units.length - 1) {
    size /= 1024;
    power += 1;
  }
  const digits = power ? 1 : 0;
  const number = new Intl.NumberFormat(document.documentElement.lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(size);
  return `${number}\u00a0${units[power]}`;
}

/** Let screen readers say `sentence`, also when they have just said the same. */
export function announce(sentence) {
  const region = document.getElementById("announcements");
  region.textContent = region.textContent === sentence ? `${sentence}\u00a0` : sentence;
}

/** Show `sentence` above the content and say it; `level` is Bootstrap's. */
export function notify(sentence, level) {
  const notices = document.getElementById("notices");
  const notice = document.createElement("p");
  notice.className = `alert alert-${level} alert-dismissible text-break`;
  notice.textContent = sentence;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close";
  close.setAttribute("aria-label", notices.dataset.close);
  close.addEventListener("click", () => notice.remove());
  notice.append(close);
  notices.replaceChildren(notice);
  announce(sentence);
}
