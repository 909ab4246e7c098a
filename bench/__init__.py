"""Measurements of the product, beside a peer that does the same job. README.md says what is measured and how honestly."""
