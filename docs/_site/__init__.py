"""What the site has beyond its pages: a small extension of Sphinx."""

from typing import Any

from _site import code, links, pages, pasting, sources


def setup(app: Any) -> dict[str, Any]:
    """Register everything; Sphinx calls it."""
    app.connect("builder-inited", lambda app: pages.write())
    app.connect("source-read", links.rewrite)
    app.connect("autodoc-process-docstring", pages.process_docstring)
    app.connect("autodoc-skip-member", pages.skip_member)
    app.connect("doctree-read", sources.link_objects)
    app.connect("html-page-context", _finish)
    app.connect("html-collect-pages", sources.collect)
    app.add_role("source", sources.Source())
    app.add_post_transform(code.LinkCode)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _finish(app: Any, page: str, template: str, context: dict[str, Any], document: Any) -> None:
    if "body" in context:
        context["body"] = code.breakable(pasting.pasteable(context["body"]))
