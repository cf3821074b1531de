"""From the distances between the residues of a protein to where they are.

chains.py            the trace of a protein, and three that are there
structure_files.py   traces in PDB and mmCIF files
distances.py         distance maps, and what noise and gaps make of them
scaling.py           coordinates from distances: multidimensional scaling, and descent of the stress
superposition.py     how far two traces are from each other, and which hand is the right one
lab.py               all of it together, as the page asks for it
"""
