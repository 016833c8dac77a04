"""Where the constants of the option maths come from, and why its divisions are safe."""
