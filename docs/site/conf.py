"""How `make docs` builds the guide: with Sphinx, from the Markdown that a repository's page shows as well."""

import re

project = "Paygrade"
extensions = ["myst_parser"]
root_doc = "README"
exclude_patterns = ["site"]
myst_heading_anchors = 4
html_theme = "basic"
html_title = "Paygrade"
html_static_path = ["static", "../../model/description/palette.css"]
html_css_files = ["palette.css", "guide.css"]
templates_path = ["templates"]
html_sidebars = {"**": ["searchbox.html", "globaltoc.html"]}
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_favicon = "../../web/page/files/icon.svg"
html_use_index = False

_LINK_OUT = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!guides|reference|explanations|tutorial)([^)]+)\)")
"""A link that leaves docs/."""
_ENTRY = re.compile(r"^- \[[^\]]+\]\(((?!\.\.)[^)]+)\.md\)", re.MULTILINE)
"""A line of the first page that leads to another."""


def setup(app):
    app.connect("source-read", _adapt)
    app.connect("html-page-context", _reach_everyone)


def _adapt(app, name, source):
    """Files of the repository are named and not linked; what the first page lists is what there is."""
    text = _LINK_OUT.sub(r"\1 (`\2` in the repository)", source[0])
    if name == root_doc:
        for shelf in text.split("\n## ")[1:]:
            pages = _ENTRY.findall(shelf)
            caption = shelf.partition("\n")[0]
            text += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])
    source[0] = text


def _reach_everyone(app, name, template, context, document):
    """What scrolls can be reached by keyboard, what is a heading has its level, and no header is empty."""
    if "body" in context:
        body = re.sub(r"<(pre|table)(?=[ >])", r'<\1 tabindex="0"', context["body"])
        context["body"] = re.sub(r'<th class="head">(<p></p>)?</th>', "<td></td>", body)
    if contents := context.get("toctree"):
        context["toctree"] = lambda **options: contents(**options).replace(
            'role="heading"', 'role="heading" aria-level="2"'
        )
