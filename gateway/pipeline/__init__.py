"""The stages from raw records to encoded events, one pure function or reducer a file (protocol.md, language.md)."""
