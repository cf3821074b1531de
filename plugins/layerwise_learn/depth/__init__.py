"""The depth lab: networks of equal numbers of parameters and different depth, on targets that are built in levels.

budget.py         the widths with which a network of some depth meets a number of parameters
targets.py        what is to be learned
networks.py       many networks of one shape, trained at once
lab.py            measures over several seeds, and draws
study.py          what `benchmarks/depth.py` measures, and the results (measured.json)
page.py, experiments.py    the page of the lab, and what it shows
"""
