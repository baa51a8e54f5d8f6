"""An auditor of Verisum's rounds, written from docs/formats.md alone.

Sections (§) in this package are those of that document.
"""
