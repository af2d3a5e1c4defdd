"""Types that a suffix names within what the bytes allow: see files.mime."""

from __future__ import annotations

_TEXT = {
    "application/json": "json map",
    "application/geo+json": "geojson",
    "application/ld+json": "jsonld",
    "application/manifest+json": "webmanifest",
    "application/mbox": "mbox",
    "application/postscript": "ps eps",
    "application/rtf": "rtf",
    "application/sql": "sql",
    "application/toml": "toml",
    "application/vnd.apple.mpegurl": "m3u8",
    "application/x-ipynb+json": "ipynb",
    "application/x-ndjson": "jsonl ndjson",
    "application/x-pem-file": "pem",
    "application/x-subrip": "srt",
    "application/x-tex": "tex sty cls",
    "application/yaml": "yaml yml",
    "image/svg+xml": "svg",
    "message/rfc822": "eml",
    "model/obj": "obj",
    "text/calendar": "ics",
    "text/css": "css",
    "text/csv": "csv",
    "text/html": "html htm",
    "text/javascript": "js mjs cjs",
    "text/markdown": "md markdown",
    "text/plain": "txt text log ini cfg conf",
    "text/tab-separated-values": "tsv",
    "text/vcard": "vcf",
    "text/vtt": "vtt",
    "text/x-asciidoc": "adoc asciidoc",
    "text/x-bibtex": "bib",
    "text/x-c": "c h",
    "text/x-c++": "cpp cxx cc hpp hh",
    "text/x-csharp": "cs",
    "text/x-diff": "diff patch",
    "text/x-gettext-translation": "po pot",
    "text/x-go": "go",
    "text/x-java": "java",
    "text/x-kotlin": "kt kts",
    "text/x-lua": "lua",
    "text/x-perl": "pl pm",
    "text/x-php": "php",
    "text/x-python": "py pyw",
    "text/x-r": "r",
    "text/x-rst": "rst",
    "text/x-ruby": "rb",
    "text/x-rust": "rs",
    "text/x-scss": "scss sass",
    "text/x-shellscript": "sh bash zsh",
    "text/x-swift": "swift",
    "text/x-typescript": "ts tsx",
    "text/xml": "xml xsd xsl xslt",
}
_XML = {
    "application/atom+xml": "atom",
    "application/gpx+xml": "gpx",
    "application/rss+xml": "rss",
    "application/vnd.google-earth.kml+xml": "kml",
    "application/xhtml+xml": "xhtml xht",
    "application/xslt+xml": "xsl xslt",
    "image/svg+xml": "svg",
}
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_ZIP = {
    "application/epub+zip": "epub",
    "application/java-archive": "jar war ear",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.comicbook+zip": "cbz",
    "application/vnd.google-earth.kmz": "kmz",
    "application/vnd.ms-excel.sheet.macroenabled.12": "xlsm",
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": "pptm",
    "application/vnd.ms-visio.drawing": "vsdx",
    "application/vnd.ms-word.document.macroenabled.12": "docm",
    "application/vnd.ms-xpsdocument": "xps",
    "application/x-xpinstall": "xpi",
    "model/3mf": "3mf",
    _OPEN_DOCUMENT + "graphics": "odg",
    _OPEN_DOCUMENT + "presentation": "odp",
    _OPEN_DOCUMENT + "spreadsheet": "ods",
    _OPEN_DOCUMENT + "text": "odt",
    _OPEN_XML + "presentationml.presentation": "pptx",
    _OPEN_XML + "presentationml.slideshow": "ppsx",
    _OPEN_XML + "spreadsheetml.sheet": "xlsx",
    _OPEN_XML + "wordprocessingml.document": "docx",
    _OPEN_XML + "wordprocessingml.template": "dotx",
}
_OLE = {
    "application/msword": "doc dot",
    "application/vnd.ms-excel": "xls xlt",
    "application/vnd.ms-outlook": "msg",
    "application/vnd.ms-powerpoint": "ppt pps",
    "application/vnd.ms-project": "mpp",
    "application/vnd.visio": "vsd",
    "application/x-msi": "msi",
    "application/x-mspublisher": "pub",
}
# Formats without a mark that libmagic knows; none of them runs in a browser.
_OPAQUE = {
    "application/vnd.tcpdump.pcap": "pcap",
    "audio/aac": "aac",
    "audio/mpeg": "mp3",
    "image/x-raw": "raw",
    "image/x-tga": "tga",
    "model/stl": "stl",
}


def _by_suffix(table: dict[str, str]) -> dict[str, str]:
    return {suffix: mime_type for mime_type, all_ in table.items() for suffix in all_.split()}


TEXT_SUFFIXES = _by_suffix(_TEXT)
XML_SUFFIXES = _by_suffix(_XML)
ZIP_SUFFIXES = _by_suffix(_ZIP)
OLE_SUFFIXES = _by_suffix(_OLE)
OPAQUE_SUFFIXES = _by_suffix(_OPAQUE)

# First bytes of formats that libmagic 5.41 has no type for.
MARKS = (
    (b"\0asm", "application/wasm"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\x93NUMPY", "application/x-numpy"),
    (b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (b"CDF\x01", "application/x-netcdf"),
    (b"CDF\x02", "application/x-netcdf"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL ", "image/jxl"),
)

# libmagic's own words, where the registered or the usual one is another.
ALIASES = {
    "application/vnd.microsoft.portable-executable": "application/x-msdownload",
    "application/x-dosexec": "application/x-msdownload",
    "application/x-gzip": "application/gzip",
    "application/x-rar": "application/vnd.rar",
    "audio/x-wav": "audio/wav",
    "image/x-ms-bmp": "image/bmp",
    "text/rtf": "application/rtf",
    "text/x-script.python": "text/x-python",
}
