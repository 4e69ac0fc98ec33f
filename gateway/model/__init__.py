"""The nouns of the gateway: frozen, without behaviour that touches the outside world."""
