"""Bar charts as SVG that stands in the page itself: no script, colors by the page's variables."""

from __future__ import annotations

from html import escape

from benchmarks.figures import Series, readable

WIDTH = 720
LABEL_WIDTH = 200
VALUE_WIDTH = 130
BAR_HEIGHT = 18
ROW_HEIGHT = 26
TITLE_HEIGHT = 26


def bars(title: str, series: list[Series], names: dict[str, str]) -> str:
    """Return a bar for each server, its length the median, a line over it the quartiles."""
    rows = [one for one in series if one.values]
    longest = max((one.quartiles[1] for one in rows), default=0.0)
    if not longest:
        return ""
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / longest
    height = TITLE_HEIGHT + ROW_HEIGHT * len(rows)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        f'<text x="0" y="16" class="title">{escape(title)}</text>',
    ]
    for number, one in enumerate(rows):
        parts += bar(one, names.get(one.peer, one.peer), TITLE_HEIGHT + ROW_HEIGHT * number, scale)
    return "\n".join([*parts, "</svg>"])


def bar(one: Series, name: str, top: float, scale: float) -> list[str]:
    """Return the name, the bar, the quartiles and the value of one server."""
    low, high = one.quartiles
    middle = top + BAR_HEIGHT / 2
    length = max(one.typical * scale, 1)
    kind = "ours" if one.peer.startswith("ours") else "peer"
    end = LABEL_WIDTH + max(high * scale, length) + 8
    return [
        f'<text x="{LABEL_WIDTH - 8}" y="{middle + 4}" class="name">{escape(name)}</text>',
        f'<rect x="{LABEL_WIDTH}" y="{top}" width="{length:.1f}" height="{BAR_HEIGHT}"'
        f' rx="2" class="{kind}"/>',
        f'<line x1="{LABEL_WIDTH + low * scale:.1f}" x2="{LABEL_WIDTH + high * scale:.1f}"'
        f' y1="{middle}" y2="{middle}" class="quartiles"/>',
        f'<text x="{end:.1f}" y="{middle + 4}">{readable(one.typical)} {one.metric.unit}</text>',
    ]
