"""A published example of comparing methods over data sets.

Source: Demšar, Statistical comparisons of classifiers over multiple data sets (JMLR 7,
2006), Table 6.
"""

import numpy as np

# Of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf by AUC, as printed beside the scores.
RANKS = np.array(
    [
        [4, 3, 2, 1],  # adult
        [1, 2, 3, 4],  # breast cancer
        [4, 1, 2, 3],  # breast cancer, Wisconsin
        [4, 1, 3, 2],  # cmc
        [4, 2, 3, 1],  # ionosphere
        [1, 2.5, 4, 2.5],  # iris
        [3, 2, 4, 1],  # liver disorders
        [2.5, 2.5, 4, 1],  # lung cancer
        [4, 3, 2, 1],  # lymphography
        [2.5, 2.5, 2.5, 2.5],  # mushroom
        [4, 2.5, 1, 2.5],  # primary tumor
        [3, 2, 4, 1],  # rheum
        [4, 1, 2, 3],  # voting
        [3, 1, 4, 2],  # wine
    ]
)
