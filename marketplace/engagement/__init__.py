"""Acting on a match: invitations, interest, remarks, opened contacts, and the events of the funnel."""
