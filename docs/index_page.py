"""Makes README's links absolute, for a package index, which shows it away from its files.

python docs/index_page.py           prints the page
python docs/index_page.py --write   writes it over README.md: in a clone made for a release

`url` in setup.cfg, under metadata, says where the repository is published.
"""

import configparser
import re
import sys
from pathlib import Path

import torchlite

ROOT = Path(__file__).parents[1]
# Inline code may hold what looks like a link.
LINK = re.compile(r"(`[^`]*`(?!\]))|(!?)\[((?:[^\[\]]|`[^`]*`)*)\]\(([^)\s]+)\)")


def absolute(text: str, url: str, version: str) -> str:
    """Return a page of the repository's root with its relative links made absolute.

    Example
    -------
    >>> print(absolute("[a](docs/a.md#b) and ![](c.png)", "https://e.org", "1.0"))
    [a](https://e.org/blob/v1.0/docs/a.md#b) and ![](https://e.org/raw/v1.0/c.png)
    >>> absolute("[d](https://d.org), [e](#f), `x[0](y)`", "https://e.org", "1.0")
    '[d](https://d.org), [e](#f), `x[0](y)`'
    """

    def replaced(match: re.Match[str]) -> str:
        code, image, shown, target = match.groups()
        if code or "://" in target or target.startswith("#"):
            return match[0]
        return f"{image}[{shown}]({url}/{'raw' if image else 'blob'}/v{version}/{target})"

    return LINK.sub(replaced, text)


def published_at() -> str | None:
    """Return the repository's address, or None while setup.cfg has none."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    return config.get("metadata", "url", fallback="").strip().rstrip("/") or None


def main() -> None:
    url = published_at()
    if url is None:
        sys.exit("setup.cfg has no url under [metadata]: the links stay relative")
    page = absolute((ROOT / "README.md").read_text("utf-8"), url, torchlite.__version__)
    if "--write" in sys.argv[1:]:
        (ROOT / "README.md").write_text(page, "utf-8")
    else:
        print(page, end="")


if __name__ == "__main__":
    main()
