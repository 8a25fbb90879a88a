"""Things that people and attackers hand in, made by code so that no binary has to be kept."""
