"""Text files of a demonstration library, each valid for its suffix and about as long as asked.

Entry points: TEXTS, and `text` to fill one in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from files.demo.words import LANGUAGES, PROSE_LENGTH, prose


@dataclass(frozen=True, slots=True)
class Text:
    """What comes first, a line that is repeated, and what comes last.

    In `head` and `tail` {title} is filled in, in `line` %(number)d and %(words)s. Neither
    words nor title hold anything that any of the formats would have to escape.
    """

    head: str
    line: str
    tail: str = ""
    words: int = 60  # characters of prose in a line


TEXTS = {
    "txt": Text("{title}\n\n", "%(words)s\n", words=200),
    "md": Text("# {title}\n\n", "- **%(number)d** %(words)s\n", words=120),
    "csv": Text("number,text,{title}\n", "%(number)d,%(words)s,%(number)d.50\n", words=24),
    "tsv": Text("number\ttext\t{title}\n", "%(number)d\t%(words)s\t%(number)d.5\n", words=24),
    "json": Text(
        '{{"title": "{title}", "entries": [\n',
        '  {"number": %(number)d, "text": "%(words)s"},\n',
        '  {{"number": 0}}\n]}}\n',
    ),
    "html": Text(
        '<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
        "<body>\n",
        "<p>%(words)s</p>\n",
        "</body>\n</html>\n",
        words=240,
    ),
    "xml": Text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<list title="{title}">\n',
        '  <entry number="%(number)d">%(words)s</entry>\n',
        "</list>\n",
    ),
    "svg": Text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 640">\n<title>{title}</title>\n',
        '<circle cx="%(number)d" cy="%(other)d" r="9" fill="teal"/>\n',
        "</svg>\n",
        words=0,
    ),
    "log": Text("# {title}\n", "2026-01-01T08:%(minute)02d:00Z INFO [%(number)d] %(words)s\n"),
    "ini": Text("; {title}\n[settings]\n", "key_%(number)d = %(words)s\n", words=30),
    "yaml": Text("# {title}\nentries:\n", '  - "%(words)s"\n', words=40),
    "py": Text('"""{title}"""\n\nENTRIES = [\n', '    (%(number)d, "%(words)s"),\n', "]\n"),
    "css": Text("/* {title} */\n", ".item-%(number)d { width: %(other)dpx }\n", words=0),
    "js": Text("// {title}\nexport const entries = [\n", '  [%(number)d, "%(words)s"],\n', "];\n"),
    "sql": Text("-- {title}\n", "SELECT %(number)d, '%(words)s';\n", words=30),
    "tex": Text(
        "\\documentclass{{article}}\n\\begin{{document}}\n\\section{{{title}}}\n",
        "%(words)s\n\n",
        "\\end{{document}}\n",
        words=240,
    ),
    "ics": Text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//demo//{title}//EN\r\n",
        "BEGIN:VEVENT\r\nUID:%(number)d-%(other)d\r\nDTSTAMP:20260101T080000Z\r\n"
        "DTSTART:20260101T08%(minute)02d00Z\r\nSUMMARY:%(words)s\r\nEND:VEVENT\r\n",
        "END:VCALENDAR\r\n",
        words=20,
    ),
}


def text(kind: str) -> Callable[[Random, int, str], bytes]:
    """Return what makes a text of TEXTS of about `size` bytes, in UTF-8."""
    form = TEXTS[kind]

    def make(rng: Random, size: int, title: str) -> bytes:
        language = LANGUAGES[int(rng.random() ** 2 * len(LANGUAGES))]
        source = prose(language.code)
        parts = [form.head.format(title=title)]
        left = size - len(parts[0]) - len(form.tail)
        # Roughly: a character of most scripts but Latin has two or three bytes.
        width = 3 if language.between == "" else 1 if source.isascii() else 2
        while True:
            number, at = int(rng.random() * 640), int(rng.random() * (PROSE_LENGTH - form.words))
            words = source[at : at + form.words].strip()
            part = form.line % {
                "number": number,
                "other": at % 640,
                "minute": at % 60,
                "words": words,
            }
            parts.append(part)
            left -= len(part) + len(words) * (width - 1)
            if left <= 0:
                break
            if len(parts) > 256:
                # Long ones repeat their lines: nobody reads so far, and it saves time.
                parts[1:] = parts[1:] * (1 + left // (size - left))
                break
        parts.append(form.tail.format(title=title))
        return "".join(parts).encode()

    return make
