"""Who belongs to an organisation: members, their roles, requests to join and invitations."""
