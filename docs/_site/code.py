"""Words of code: those that name something public link to its page, long ones can be broken."""

import re
from functools import cache
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from _site.pages import PARTS, imported
from torchlite import nn
from torchlite.testing import maths

# Whose names need no word in front of them.
_KNOWN_ALONE = ("datasets", "optim", "stepping", "testing")


@cache
def names() -> dict[str, str]:
    """Return the full name of everything that is linked, by what it may be called."""
    found = {}
    for part in PARTS:
        short = part.removeprefix("torchlite.")
        found[short] = part
        for name in imported(part).__all__:
            full = f"{part}.{name}"
            found[f"{short}.{name}"] = found[f"{short.removeprefix('nn.')}.{name}"] = full
            if short in _KNOWN_ALONE or name[0].isupper():
                found[name] = full
    for name in nn.__all__:
        found[name] = found[f"nn.{name}"] = f"torchlite.nn.{name}"
    found |= {name: f"{f.__module__}.{name}" for name, f in maths._KERNELS.items()}
    for name in dir(nn.Module):
        if re.fullmatch("[a-z]+[A-Z][A-Za-z]+", name):
            found[name] = found[f"net.{name}"] = f"torchlite.nn.Module.{name}"
    return found


# Where long words of code are best broken.
_BREAKS = re.compile(r"[a-z](?=[A-Z][a-z])|[.,(=_](?=\w)")


def breakable(body: str) -> str:
    """Return HTML where the words of code in tables may go on in the next line.

    Example
    -------
    >>> breakable('<td><span class="pre">nn.LogSoftMax()</span></td>')
    '<td><span class="pre">nn.<wbr>Log<wbr>Soft<wbr>Max()</span></td>'
    """

    def broken(found: re.Match[str]) -> str:
        return _BREAKS.sub(r"\g<0><wbr>", found[0])

    def cell(found: re.Match[str]) -> str:
        return re.sub(r'(?<=<span class="pre">)[^<]*', broken, found[0])

    return re.sub("<t[dh].*?</t[dh]>", cell, body, flags=re.S)


class LinkCode(SphinxPostTransform):
    """Make links of the names among a page's words of code."""

    default_priority = 500

    def run(self, **kwargs: Any) -> None:
        objects = self.env.domains.python_domain.objects
        here = self.env.docname
        for literal in list(self.document.findall(nodes.literal)):
            text = re.sub(r"\(.*\)$", "", literal.astext())
            entry = objects.get(names().get(text.removeprefix("torchlite."), ""))
            inside = literal.parent
            while inside and not isinstance(inside, nodes.reference | nodes.title):
                inside = inside.parent
            if entry is None or inside or entry.docname == here:
                continue
            uri = self.app.builder.get_relative_uri(here, entry.docname)
            link = nodes.reference("", "", refuri=f"{uri}#{entry.node_id}", internal=True)
            literal.replace_self(link)
            link += literal
