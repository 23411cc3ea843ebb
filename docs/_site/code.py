"""Words of code that name a public class or function link to its page."""

import re
from functools import cache
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

import torchlite
from torchlite import nn


@cache
def names() -> dict[str, str]:
    """Return the full name of everything that is linked, by what it may be called."""
    found = {}
    for part in ("optim", "serial", "stepping", "testing", "datasets", "random", "distributed"):
        for name in getattr(torchlite, part).__all__:
            found[f"{part}.{name}"] = f"torchlite.{part}.{name}"
            if name[0].isupper() or "_" in name or part == "optim":
                found[name] = f"torchlite.{part}.{name}"
    for name in torchlite.errors.__all__:
        if name[0].isupper():
            found[name] = found[f"errors.{name}"] = f"torchlite.errors.{name}"
    for name in nn.__all__:
        found[name] = found[f"nn.{name}"] = f"torchlite.nn.{name}"
    return found


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
