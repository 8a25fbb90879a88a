"""What an operator enters for a firm with its recorded consent; the firm confirms it or objects."""
