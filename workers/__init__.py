"""The processes that do the outbox's work: one supervisor, and the queue's workers that it keeps alive.

The marketplace never imports this package; it names its jobs by strings in `workers.jobs`.
"""
