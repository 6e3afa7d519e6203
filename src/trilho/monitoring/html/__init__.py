"""The report as one HTML file, for people: no script, font or picture from anywhere else, and none needed.

page       a Report, and what labels say → HTML            templates/  its form and its looks
verdict    what to say first, and what to do               columns     what to say of a column
answers    what to say of right and wrong answers          drawing     counts → the shapes of a small picture
"""

from __future__ import annotations

from trilho.monitoring.html.page import render

__all__ = ["render"]
