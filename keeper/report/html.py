"""One HTML file with everything inside: it opens from a disk without a network."""

from __future__ import annotations

import html
from pathlib import Path

import plotly.io

from keeper.report.figures import all_figures
from keeper.report.record import RunRecord

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; }
p.notice { background: #fff6dd; border-left: 4px solid #E69F00; padding: .6em 1em; white-space: pre-line; }
table { border-collapse: collapse; margin: 1em 0 2em; }
td { border-bottom: 1px solid #ddd; padding: .25em 1.2em .25em 0; }
td + td { text-align: right; font-variant-numeric: tabular-nums; }
"""


def render(record: RunRecord) -> str:
    """The whole page."""
    rows = "\n".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
        for name, value in record.figures.items()
    )
    pictures = "\n".join(
        plotly.io.to_html(
            figure,
            full_html=False,
            include_plotlyjs="inline" if i == 0 else False,
            div_id=f"figure-{i}",
        )
        for i, figure in enumerate(all_figures(record))
    )
    title = html.escape(record.title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        f'<p class="notice">{html.escape(record.notice)}</p>\n<table>\n{rows}\n</table>\n{pictures}\n</body></html>\n'
    )


def write_report(record: RunRecord, path: Path) -> None:
    """Render to `path`; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(record), encoding="utf-8")
