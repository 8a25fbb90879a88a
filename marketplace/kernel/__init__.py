"""What every feature may lean on. It knows no feature."""
