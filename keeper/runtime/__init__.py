"""The tick and what drives it: scheduler, clocks, metrics, alerts, logs."""
