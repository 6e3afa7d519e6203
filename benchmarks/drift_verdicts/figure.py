"""What the judges said, as a picture that is read on light and on dark ground."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deployments import SIZES
from tables import JUDGES

SHOWN = 0.3  # the shift in the picture on the right
_COLORS = {"trilho": "#2f81f7", "evidently": "#e0823d", "nannyml": "#a371f7"}
_INK = "#010203"  # stands for the colour of the text, which the viewer's ground decides
_STYLE = "svg{color:#1f2328}@media (prefers-color-scheme:dark){svg{color:#e6edf3}}"

Lines = Sequence[dict[str, Any]]


def draw(lines: Lines, path: Path) -> None:
    """False alarms by the rows of a window, and how often the first window shows a shift that is there or is not."""
    import matplotlib as mpl

    mpl.use("svg")
    ink = dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK)
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "drift", "font.family": "sans-serif", **ink})
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained", facecolor="none")
    for judge, name in JUDGES.items():
        color, width = _COLORS[judge], 2.4 if judge == "trilho" else 1.5
        clean = {line["rows"]: line for line in lines if line["part"] == "clean" and line["judge"] == judge}
        shares = [100 * line["alarms"] / line["windows"] for line in clean.values()]
        left.plot(list(clean), shares, marker="o", color=color, linewidth=width, label=name)
        for shift, style in ((SHOWN, "-"), (0.0, ":")):
            found = {line["rows"]: line for line in lines if line.get("shift") == shift and line["judge"] == judge}
            seen = [100 * line["in_the_first"] for line in found.values()]
            right.plot(list(found), seen, style, marker="o", color=color, linewidth=width)
    left.set(ylabel="clean windows with a false alarm, %")
    left.legend(frameon=False)
    right.set(ylabel="named by the first window, %")
    right.plot([], [], color=_INK, label=f"shifted by {SHOWN:g} standard deviations")
    right.plot([], [], ":", color=_INK, label="not shifted at all")
    right.legend(frameon=False, fontsize="small", loc="lower right", bbox_to_anchor=(1.0, 0.25))
    for axes in (left, right):
        axes.set(xscale="log", xlabel="rows in a window", ylim=(-3, 103), facecolor="none")
        axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})
    plt.close(figure)
    text = path.read_text(encoding="utf-8").replace(_INK, "currentColor")
    path.write_text(re.sub(r"(<style[^>]*>)", rf"\g<1>{_STYLE}", text, count=1), encoding="utf-8")
