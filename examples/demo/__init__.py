"""The demo: a legacy system at work, captured, translated, and compared with the truth."""
