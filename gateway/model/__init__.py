"""The nouns of the gateway: frozen, without behaviour that touches the outside world.

What exists once for each record is a msgspec struct: like a frozen dataclass, and ten times quicker to make.
"""
