"""Leader firms, SMEs, institutes: registration, verification, members, designations."""
