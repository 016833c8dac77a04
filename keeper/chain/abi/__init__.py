"""Contract ABIs as package data, written by scripts/export_abis.py from the build."""
