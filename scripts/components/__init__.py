"""The real protocols and tokens that a development chain needs, as ordered, resumable steps."""
