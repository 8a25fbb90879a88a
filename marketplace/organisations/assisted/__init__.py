"""What an operator enters for a firm with its recorded consent: marked as such, left to the firm to confirm."""
