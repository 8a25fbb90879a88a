"""The matching engine as a plain library: index, scoring, ranking, reasons.

No Flask, no SQLAlchemy, no Redis: documents go in, rankings with their reasons come out. The manners are
scikit-learn's: parameters in `__init__`, work in `fit`, answers in `rank`, learned things end in `_`.
"""

#: Changes whenever the same input could give another score.
ENGINE_VERSION = "2.0"
