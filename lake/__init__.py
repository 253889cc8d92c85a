"""What every room shares: the home and its tables, settings, pseudonyms, periods and errors.

Nothing here knows of loaders, graph, embeddings, matching or the API; all of them know this.
"""

import os

# Every OpenMP library (networkit's, torch's) reads this once, when it is loaded, and this package comes first. Threads
# that spin while they wait for each other make small steps 50 times slower on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
