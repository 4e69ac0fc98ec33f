"""The fault laboratory: strikes with proofs, an independent reference, a reader that watches, a verdict."""
