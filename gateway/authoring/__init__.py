"""For those who write rules: recordings translated offline, test cases, explanations; pure."""
