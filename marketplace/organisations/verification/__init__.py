"""The operator's side of organisations: the queue, the checklist, the decisions."""
