"""Sphinx's configuration. What the site shows of the code, it makes from the code each time it is built.

`python -m sphinx -W -b html docs OUT` builds it, with the packages of the extra `docs`.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import docstrings  # noqa: E402  # the path is needed first
import mathematics  # noqa: E402
import pictures  # noqa: E402
import reference  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

import autodiff  # noqa: E402

project = "autodiff"
author = "The authors of autodiff"
copyright = "The authors of autodiff, MIT licence"  # noqa: A001  # the name that Sphinx asks for
version = release = autodiff.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "myst_nb"]
exclude_patterns = ["**.ipynb_checkpoints"]
suppress_warnings = ["mystnb.unknown_mime_type"]  # a notebook's output may have a kind that only its own page shows

# Notebooks are shown with the outputs that they are stored with.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

add_module_names = False
autodoc_preserve_defaults = True
autodoc_typehints = "none"
autosummary_generate = False
python_maximum_signature_line_length = 88
toc_object_entries = False

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "autodiff"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
html_sidebars = {"index": [], "start": [], "questions": [], "architecture": [], "changelog": []}


def prepare(app: Sphinx) -> None:
    """Write the pages and pictures that are made from the code, and copy the notebooks."""
    notebooks = HERE / "notebooks"
    notebooks.mkdir(exist_ok=True)
    for stale in {path.name for path in notebooks.iterdir()} - {path.name for path in ROOT.glob("notebooks/*.ipynb")}:
        (notebooks / stale).unlink()
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        shutil.copy2(notebook, notebooks / notebook.name)
    pictures.write(HERE / "generated")
    reference.write(HERE / "generated")


def setup(app: Sphinx) -> None:
    """Connect the house's own parts."""
    app.connect("builder-inited", prepare)
    app.connect("autodoc-process-docstring", docstrings.as_restructured_text)
    app.add_html_math_renderer("mathml", (mathematics.inline, None), (mathematics.block, None))
    app.add_directive("picture", pictures.Picture)
    app.add_directive("stepper", pictures.LiveStepper)
