# SPDX-License-Identifier: BSD-2-Clause
"""growth_svg.py lines|bars FILE PANELS POINTS SERIES... - is a figure of bench/growth whole?

Well-formed, with a title, and each series: as lines, in every panel with so many points, and
in the legend; as bars, a label, and so many figures in every panel. Says what is not there.
"""
import re
import sys
import xml.etree.ElementTree as xml

SVG = "{http://www.w3.org/2000/svg}"
kind, file, panels, points = sys.argv[1:3] + [int(n) for n in sys.argv[3:5]]
series = sys.argv[5:]
wrong = []


def texts(element):
    return ["".join(t.itertext()).strip() for t in element.iter(SVG + "text")]


root = xml.parse(file).getroot()
if root.tag != SVG + "svg" or not texts(root) or len(texts(root)[0]) < 10:
    wrong.append("no title")
plots = {}
for group in root.iter(SVG + "g"):
    if re.fullmatch(r"gnuplot_plot_\d+[a-z]", group.get("id", "")):
        panel = group.get("id")[-1]
        plots.setdefault(panel, {})[group.findtext(SVG + "title")] = group
expected = panels + (kind == "lines")
if len(plots) != expected:
    wrong.append(f"{len(plots)} panels, not {expected}")
for panel in sorted(plots)[:panels]:
    if kind == "bars":
        figures = [t for g in plots[panel].values() for t in texts(g)]
        if len(figures) != len(series) or not all(float(t) > 0 for t in figures):
            wrong.append(f"panel {panel}: figures {figures}, not one a series")
        continue
    for name in series:
        group = plots[panel].get(name)
        found = 0 if group is None else len(list(group.iter(SVG + "use")))
        if found != points:
            wrong.append(f"panel {panel}: {name}: {found} points, not {points}")
for name in series:
    if texts(root).count(name) != 1:
        wrong.append(f"{name}: its name is there {texts(root).count(name)} times")
print("\n".join(wrong))
sys.exit(bool(wrong))
