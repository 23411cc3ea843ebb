"""The site: `sphinx-build -W -j auto docs build/site`.

The pages are those of this folder, and what _site/ writes beside them: a page for every class, the
examples with their pictures, and the pages of the repository's root.
"""

import sys
from pathlib import Path

import torchlite

sys.path.insert(0, str(Path(__file__).parent))

from _site.pages import MOCKED

project = "torchlite"
author = "The torchlite developers"
project_copyright = author
version = release = torchlite.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton", "_site"]
# What is made of layers.md here is a page for every class: reference/.
exclude_patterns = ["layers.md", "_*"]

# What the notebooks show was stored when they were run, by their tests.
nb_execution_mode = "off"
# Whoever looks for links alone sees no pictures.
nb_mime_priority_overrides = [("linkcheck", "image/png", 0)]
myst_heading_anchors = 4

autodoc_mock_imports = MOCKED
# The contract is said once, at Module, Container and Criterion.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"
default_role = "code"
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = f"torchlite {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "torchlite"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "search_bar_text": "Search",
    "header_links_before_dropdown": 6,
    "collapse_navigation": True,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
