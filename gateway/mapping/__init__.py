"""The mapping language: from YAML files to compiled mappings (language.md is the specification)."""
