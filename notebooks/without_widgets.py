"""Take the widgets out of stored notebooks: a widget lives as long as its kernel, the picture beside it stays.

    python notebooks/without_widgets.py            after notebooks were executed
"""

import json
from pathlib import Path

VIEW = "application/vnd.jupyter.widget-view+json"


def without_widgets(text: str) -> str:
    """A notebook's text without the views and the states of widgets."""
    notebook = json.loads(text)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(VIEW, None)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path in sorted(Path(__file__).parent.glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        if VIEW in before:
            path.write_text(without_widgets(before), encoding="utf-8")
